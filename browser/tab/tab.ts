import { ElanusError } from '../../core/base/error.ts';
import type { Info } from '../../core/elanus.ts';
import { Proxy as ElanusProxy } from '../../core/node/proxy.ts';
import { closedError } from '../closed.ts';
import { locksWork } from '../locks.ts';
import type { OpenedTab, OpenRequest, TabApi } from '../protocol.ts';
import { clock, randomId } from '../surroundings.ts';
import type { EngineAccess } from './engine-access.ts';
import { RemoteCluster } from './remote-cluster.ts';
import { SharedEngine } from './shared-engine.ts';
import { SoloEngine } from './solo-engine.ts';

interface Opened {
  readonly access: EngineAccess;
  readonly cluster: RemoteCluster;
  readonly proxy: ElanusProxy;
}

/**
 * The tab worker: the proxy of one `open`, and its part in who leads. It checks, encodes and merges; what scans and
 * builds is the engine worker's, so this thread answers other tabs at once.
 */
export class Tab implements TabApi {
  readonly #id = randomId();
  readonly #calls = new Set<Promise<unknown>>();
  /** Lists of which parts have come and whose call has not. */
  readonly #lists = new Map<number, unknown[]>();
  #opened: Opened | undefined;
  #closed = false;

  async open(request: OpenRequest, broker: MessagePort | undefined): Promise<OpenedTab> {
    if (this.#opened !== undefined || this.#closed) throw new ElanusError('internal', 'A tab worker is opened once.');
    const isSolo = request.storage === 'memory' || !(await locksWork());
    const access = isSolo ? new SoloEngine(request, this.#id) : new SharedEngine(request, this.#id, broker);
    const opened = await access.open();
    const cluster = new RemoteCluster(access, clock, this.#id);
    this.#opened = { access, cluster, proxy: new ElanusProxy(cluster, clock) };
    return opened;
  }

  async call(method: string, body: unknown, list?: { readonly id: number; readonly key: string }): Promise<unknown> {
    const whole = list === undefined ? body : { ...(body as object), [list.key]: this.#lists.get(list.id) };
    if (list !== undefined) this.#lists.delete(list.id);
    const call = this.#engine().proxy.call(method, whole);
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  async part(list: number, items: readonly unknown[]): Promise<void> {
    const known = this.#lists.get(list);
    if (known === undefined) this.#lists.set(list, [...items]);
    else for (const item of items) known.push(item);
  }

  async forget(list: number): Promise<void> {
    this.#lists.delete(list);
  }

  async info(): Promise<Info> {
    const { access, cluster } = this.#engine();
    const info = (await cluster.call('engine', 'info', () => [])) as Omit<Info, 'tab'>;
    const { kind, leader } = await access.link(clock.now());
    return { ...info, tab: { id: this.#id, leads: kind === 'own', leader, link: kind } } as Info;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#closed = true;
    this.#opened = undefined;
    await Promise.allSettled(this.#calls);
    await opened?.access.close();
  }

  async destroy(): Promise<void> {
    const { access } = this.#engine();
    this.#closed = true;
    this.#opened = undefined;
    await access.destroy();
    await access.close();
  }

  #engine(): Opened {
    if (this.#opened === undefined) throw closedError();
    return this.#opened;
  }
}
