import { ElanusError } from '../../core/base/error.ts';
import type { Info } from '../../core/elanus.ts';
import type { Change } from '../../core/model/change.ts';
import { LocalCluster } from '../../core/node/local-cluster.ts';
import type { Platform } from '../../core/platform.ts';
import { kernelBytesMax, Residency } from '../../core/vector/residency.ts';
import { VERSION } from '../../core/version.ts';
import { objectLogStore } from '../../core/wal/object-log.ts';
import { relaxedSimdSupported } from '../../wasm/detect.ts';
import { createKernel } from '../../wasm/kernel.ts';
import { loadModuleFile } from '../../wasm/module-file.ts';
import { openChangesChannel } from '../changes-channel.ts';
import { closedError } from '../closed.ts';
import { broadcastEndpoint, type Endpoint, portEndpoint } from '../link/endpoint.ts';
import { answerCalls } from '../link/peer-calls.ts';
import { holdLock, lockNames, locksWork } from '../locks.ts';
import { type EngineApi, type OpenedEngine, type OpenRequest, sharedChanges } from '../protocol.ts';
import { type BrowserStorage, openStorage } from '../stores.ts';
import { clock, random } from '../surroundings.ts';
import { WakeTimer } from '../wake-timer.ts';

/** A database that nobody has asked for so long needs no memory; to load it again takes a moment. */
const MEMORY_IDLE_MS = 300_000;

interface Opened {
  readonly storage: BrowserStorage;
  readonly cluster: LocalCluster;
  readonly timer: WakeTimer;
  readonly platform: Platform;
}

/**
 * The engine of one database: coordinator and streaming node in this worker, over the origin's storage. Only the
 * leading tab has one; it answers the proxies of all tabs. If two run for a moment, the terms of the log let one write.
 */
export class Engine implements EngineApi {
  readonly #channels = new Map<string, Endpoint>();
  #opened: Opened | undefined;
  #closed = false;

  async open(request: OpenRequest, id: string): Promise<OpenedEngine> {
    if (this.#opened !== undefined || this.#closed) throw new ElanusError('internal', 'The engine is opened once.');
    const [storage, module] = await Promise.all([
      openStorage(request.name, request.storage),
      loadModuleFile(relaxedSimdSupported() ? request.wasmUrl.relaxed : request.wasmUrl.simd),
      // Held until this worker ends, never released: by it the tab worker sees that the engine has died.
      locksWork().then((work) => (work ? holdLock(lockNames.engine(request.name, id)) : undefined)),
    ]);
    const kernel = createKernel(module, { bytesMax: kernelBytesMax(request.memoryBytesMax) });
    const shared = sharedChanges(request.name);
    const changes = storage.kind === 'memory' ? `${shared}:${id}` : shared;
    const announcements = tryToAnnounce(changes);
    const timer = new WakeTimer(() => cluster.work());
    const platform: Platform = {
      objects: storage.objects,
      logs: objectLogStore(storage.objects, { clock, random }),
      residency: new Residency(kernel, request.memoryBytesMax),
      memoryIdleMs: MEMORY_IDLE_MS,
      clock,
      random,
      wake: (at) => timer.wake(at),
      announce: (change) => announcements?.postMessage(change),
    };
    const cluster = new LocalCluster(platform);
    this.#opened = { storage, cluster, timer, platform };
    // What an earlier engine left undone; nobody waits for it.
    timer.wake(clock.now());
    // The last changes of the engine before this one may have been announced to nobody.
    announcements?.postMessage({ kind: 'unknown', count: 0, timestamp: 0n } satisfies Change);
    return { storage: storage.kind, changes };
  }

  lost(): Promise<string> {
    return this.#engine().storage.lost;
  }

  /** What every tab may call, by the name of the role. */
  readonly role = (name: string): object | undefined => {
    const { cluster } = this.#engine();
    if (name === 'coordinator') return cluster.coordinator;
    // A browser's streaming node leads every channel.
    if (name === 'streamingNode') return cluster.streamingNode('');
    return name === 'engine' ? { ready: () => undefined, info: () => this.info() } : undefined;
  };

  attachPort(port: MessagePort): void {
    answerCalls(portEndpoint(port), this.role);
  }

  attachChannel(tab: string, channel: string): void {
    this.detach(tab);
    const endpoint = broadcastEndpoint(channel);
    this.#channels.set(tab, endpoint);
    answerCalls(endpoint, this.role);
  }

  detach(tab: string): void {
    this.#channels.get(tab)?.close();
    this.#channels.delete(tab);
  }

  async info(): Promise<Omit<Info, 'tab'>> {
    const { storage, platform } = this.#engine();
    const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
    const persisted = await navigator.storage?.persisted?.().catch(() => undefined);
    return {
      version: VERSION,
      host: 'browser',
      storage: storage.kind,
      missing: storage.missing,
      kernel: relaxedSimdSupported() ? 'relaxed-simd' : 'simd128',
      memory: platform.residency.use(),
      ...(estimate?.usage === undefined ? {} : { bytesStored: estimate.usage }),
      ...(estimate?.quota === undefined ? {} : { quota: estimate.quota }),
      ...(persisted === undefined ? {} : { persisted }),
    };
  }

  async close(): Promise<void> {
    const opened = this.#end();
    if (opened === undefined) return;
    await opened.cluster.close();
    await opened.storage.close();
  }

  async destroy(): Promise<void> {
    this.#engine();
    const { cluster, storage } = this.#end() as Opened;
    await cluster.close();
    await storage.destroy();
  }

  #end(): Opened | undefined {
    const opened = this.#opened;
    this.#closed = true;
    this.#opened = undefined;
    opened?.timer.stop();
    return opened;
  }

  #engine(): Opened {
    if (this.#opened === undefined) throw closedError();
    return this.#opened;
  }
}

/** Undefined where the browser refuses it: whoever subscribes is told so, and everything else works. */
function tryToAnnounce(changes: string): BroadcastChannel | undefined {
  try {
    return openChangesChannel(changes);
  } catch {
    return undefined;
  }
}
