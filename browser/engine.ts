import { ElanusError } from '../core/base/error.ts';
import type { Info } from '../core/elanus.ts';
import { LocalCluster } from '../core/node/local-cluster.ts';
import type { Platform } from '../core/platform.ts';
import { kernelBytesMax, Residency } from '../core/vector/residency.ts';
import { VERSION } from '../core/version.ts';
import { objectLogStore } from '../core/wal/object-log.ts';
import { compileModule } from '../wasm/compile.ts';
import { relaxedSimdSupported } from '../wasm/detect.ts';
import { createKernel } from '../wasm/kernel.ts';
import { lockName, type NameLock } from './name-lock.ts';
import type { EngineApi, OpenRequest } from './protocol.ts';
import { type BrowserStorage, openStorage } from './stores.ts';
import { WakeTimer } from './wake-timer.ts';

/** A database that nobody has asked for so long needs no memory; to load it again takes a moment. */
const MEMORY_IDLE_MS = 300_000;

interface Opened {
  readonly lock: NameLock;
  readonly storage: BrowserStorage;
  readonly cluster: LocalCluster;
  readonly timer: WakeTimer;
  readonly platform: Platform;
}

/** The engine of one database: all roles in this worker, over the origin's storage. */
export class Engine implements EngineApi {
  #opened: Opened | undefined;
  #closed = false;

  async open(request: OpenRequest): Promise<void> {
    if (this.#opened !== undefined || this.#closed) throw new ElanusError('internal', 'The engine is opened once.');
    const lock = await lockName(request.name);
    try {
      const [storage, module] = await Promise.all([
        openStorage(request.name, request.storage),
        loadModule(relaxedSimdSupported() ? request.wasmUrl.relaxed : request.wasmUrl.simd),
      ]);
      const kernel = createKernel(module, { bytesMax: kernelBytesMax(request.memoryBytesMax) });
      const timer = new WakeTimer(() => cluster.work());
      const clock = {
        now: () => Date.now(),
        elapsed: () => performance.now(),
        sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
      };
      const random = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      const platform: Platform = {
        objects: storage.objects,
        logs: objectLogStore(storage.objects, { clock, random }),
        residency: new Residency(kernel, request.memoryBytesMax),
        memoryIdleMs: MEMORY_IDLE_MS,
        clock,
        random,
        wake: (at) => timer.wake(at),
      };
      const cluster = new LocalCluster(platform);
      this.#opened = { lock, storage, cluster, timer, platform };
      // What an earlier tab left undone; nobody waits for it.
      timer.wake(clock.now());
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  call(method: string, body: unknown): Promise<unknown> {
    return this.#engine().cluster.proxy.call(method, body);
  }

  async info(): Promise<Info> {
    const { storage, platform } = this.#engine();
    const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
    const persisted = await navigator.storage?.persisted?.().catch(() => undefined);
    return {
      version: VERSION,
      host: 'browser',
      storage: storage.kind,
      kernel: relaxedSimdSupported() ? 'relaxed-simd' : 'simd128',
      memory: platform.residency.use(),
      ...(estimate?.usage === undefined ? {} : { bytesStored: estimate.usage }),
      ...(estimate?.quota === undefined ? {} : { quota: estimate.quota }),
      ...(persisted === undefined ? {} : { persisted }),
    };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#closed = true;
    this.#opened = undefined;
    if (opened === undefined) return;
    opened.timer.stop();
    await opened.cluster.close();
    await opened.storage.close();
    opened.lock.release();
  }

  async destroy(): Promise<void> {
    const { cluster, storage, lock, timer } = this.#engine();
    this.#closed = true;
    this.#opened = undefined;
    timer.stop();
    await cluster.close();
    await storage.destroy();
    lock.release();
  }

  #engine(): Opened {
    if (this.#opened === undefined) throw new ElanusError('closed', 'The database is closed; open it again.');
    return this.#opened;
  }
}

async function loadModule(url: string): Promise<WebAssembly.Module> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new ElanusError('unavailable', `The WASM core could not be loaded from ${url}.`, { cause: error });
  }
  if (!response.ok) {
    throw new ElanusError('unavailable', `The WASM core could not be loaded from ${url}: HTTP ${response.status}.`);
  }
  return compileModule(new Uint8Array(await response.arrayBuffer()));
}
