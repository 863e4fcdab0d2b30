import { transfer, wrap } from 'comlink';
import { assert } from '../../core/base/assert.ts';
import { ElanusError } from '../../core/base/error.ts';
import type { Info } from '../../core/elanus.ts';
import { hasLocks, isHeld, whenReleased } from '../locks.ts';
import type { OpenedTab, OpenRequest, TabApi } from '../protocol.ts';
import { isOwn, startWorker, whyItFailed } from '../start-worker.ts';
import { PROTOCOL } from '../tab/control-channel.ts';
import { type LargeList, largeListOf, sendParts } from './large-list.ts';

const WORKER_DIED = 'worker-died';

/** The tab worker has ended by itself, and what it was doing with it. */
function workerDied(message: string): ElanusError {
  return new ElanusError('unavailable', message, { details: { reason: WORKER_DIED } });
}

/** Whether a call failed because its tab worker has ended. */
export function isWorkerDeath(error: unknown): boolean {
  return (error as { details?: { reason?: unknown } } | undefined)?.details?.reason === WORKER_DIED;
}

/** One tab worker. If it ends by itself, every call under way is rejected instead of waiting for ever. */
export class TabWorker {
  /** Rejects when the worker has ended by itself. */
  readonly died: Promise<never>;
  readonly #worker: Worker;
  readonly #tab: ReturnType<typeof wrap<TabApi>>;
  readonly #ended = new AbortController();
  #opened: OpenedTab | undefined;
  #nextList = 1;
  #reject: (error: ElanusError) => void = () => undefined;

  private constructor(workerUrl: string) {
    this.#worker = startWorker(workerUrl, 'elanus');
    this.#tab = wrap<TabApi>(this.#worker);
    this.died = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.died.catch(() => undefined);
    this.#worker.addEventListener('error', (event) => {
      this.#died(workerDied(`The tab worker failed: ${whyItFailed(workerUrl, event.message)}.`));
    });
    this.#worker.addEventListener('messageerror', () => {
      this.#died(new ElanusError('internal', 'A message between page and tab worker could not be read.'));
    });
  }

  /** Starts the worker and opens the database in it. Rejects with what keeps it from opening. */
  static async start(request: OpenRequest): Promise<TabWorker> {
    const started = new TabWorker(request.workerUrl);
    try {
      await started.#open(request);
      return started;
    } catch (error) {
      started.terminate();
      throw error;
    }
  }

  get opened(): OpenedTab {
    assert(this.#opened !== undefined, 'a tab worker is given out when it is open');
    return this.#opened;
  }

  /** @param buffers of the body that are moved instead of copied */
  call(method: string, body: unknown, buffers: readonly ArrayBuffer[] | undefined): Promise<unknown> {
    return Promise.race([this.#call(method, body, buffers), this.died]);
  }

  info(): Promise<Info> {
    return Promise.race([this.#tab.info(), this.died]);
  }

  async close(): Promise<void> {
    await Promise.race([this.#tab.close(), this.died]);
    this.terminate();
  }

  async destroy(): Promise<void> {
    await Promise.race([this.#tab.destroy(), this.died]);
    this.terminate();
  }

  terminate(): void {
    this.#ended.abort();
    this.#worker.terminate();
  }

  #call(method: string, body: unknown, buffers: readonly ArrayBuffer[] | undefined): Promise<unknown> {
    if (buffers !== undefined) return this.#tab.call(method, transfer(body as object, [...buffers]));
    const large = largeListOf(body);
    return large === undefined ? this.#tab.call(method, body) : this.#callInParts(method, body as object, large);
  }

  /** To clone a large list in one turn would block the page. The worker puts the parts together again. */
  async #callInParts(method: string, body: object, large: LargeList): Promise<unknown> {
    const id = this.#nextList++;
    try {
      await sendParts(large, (part) => this.#tab.part(id, part));
    } catch (error) {
      await this.#tab.forget(id);
      throw error;
    }
    return this.#tab.call(method, { ...body, [large.key]: undefined }, { id, key: large.key });
  }

  async #open(request: OpenRequest): Promise<void> {
    const broker = brokerPort(request);
    const opening = this.#tab.open(request, broker === undefined ? undefined : transfer(broker, [broker]));
    this.#opened = await Promise.race([opening, this.died]);
    const { lock } = this.#opened;
    // Chromium keeps locks with the data: a page whose data were cleared does not see those of its new workers.
    if (lock === undefined || !(await isHeld(lock))) return;
    void whenReleased(lock, this.#ended.signal).then(() => this.#died(workerDied('The tab worker has ended.')));
  }

  #died(error: ElanusError): void {
    if (this.#ended.signal.aborted) return;
    this.terminate();
    this.#reject(error);
  }
}

/** Only a page can start a SharedWorker, and only from its own origin; it hands the port to its tab worker. */
function brokerPort({ workerUrl, link, storage }: OpenRequest): MessagePort | undefined {
  if (typeof SharedWorker === 'undefined' || !hasLocks() || link === 'broadcast' || storage === 'memory')
    return undefined;
  const url = new URL(workerUrl);
  if (!isOwn(url)) return undefined;
  try {
    // A page of another build must not get a broker that speaks otherwise.
    return new SharedWorker(url, { type: 'module', name: `elanus-broker-${PROTOCOL}` }).port;
  } catch {
    // A Content-Security-Policy or a sandbox forbids it: the tabs broadcast.
    return undefined;
  }
}
