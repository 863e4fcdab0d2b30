import { transfer, wrap } from 'comlink';
import { ElanusError } from '../core/base/error.ts';
import type { Connection, ConnectionCallOptions } from '../core/client/connection.ts';
import { Database } from '../core/client/database.ts';
import type { Info, Int64Mode } from '../core/elanus.ts';
import { carryErrors } from '../wasm/carry-errors.ts';
import { memoryBudget } from './memory-budget.ts';
import type { EngineApi, OpenRequest, StorageKind } from './protocol.ts';

/** Which database, and how it is kept; only the name is needed. */
export interface OpenOptions<Mode extends Int64Mode = 'number'> {
  /** Names the database in this origin: 1 to 128 letters, digits, `.`, `_` or `-`. */
  readonly name: string;
  /** Where the data lies. `auto`, the default, takes the best that works here; `info()` says which. */
  readonly storage?: StorageKind | 'auto';
  /** The type in which Int64 values come out; `number` by default, where a value beyond 2^53 is an error. */
  readonly int64?: Mode;
  /** Where `engine-worker.js` is, if the bundler leaves worker URLs alone. */
  readonly workerUrl?: string | URL;
  /** Where the folder with `elanus.wasm` and `elanus-relaxed.wasm` is, ending in a slash. */
  readonly wasmUrl?: string | URL;
  /**
   * Bytes of memory that the engine may hold, WASM and JavaScript together, 16 MiB to 4 GiB. By default an eighth of
   * the device's memory, or 512 MiB where the browser does not say.
   */
  readonly memoryBytesMax?: number;
}

/** A database in this tab. */
export class BrowserDatabase<Mode extends Int64Mode = 'number'> extends Database<Mode> {
  /**
   * Asks the browser not to evict this origin's data. It may show a prompt, so call it when a person has asked for
   * something to be kept; `open` never does. Resolves with what the browser decided.
   */
  async requestPersistence(): Promise<boolean> {
    return (await navigator.storage?.persist?.()) ?? false;
  }
}

const NAME = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Opens, or creates, a database in this origin. The engine runs in a Web Worker; nothing blocks the page.
 *
 * Rejects with `locked` if the database is open in another tab, `invalid` for a bad option, `quota` if the browser
 * gives no room, `unavailable` if the worker or the WASM core cannot be loaded.
 */
export async function open<Mode extends Int64Mode = 'number'>(
  options: OpenOptions<Mode>,
): Promise<BrowserDatabase<Mode>> {
  if (typeof options?.name !== 'string' || !NAME.test(options.name)) {
    throw new ElanusError('invalid', 'open needs a `name` of 1 to 128 letters, digits, `.`, `_` or `-`.', {
      details: { option: 'name' },
    });
  }
  const memoryBytesMax = memoryBudget(options.memoryBytesMax);
  carryErrors();
  const worker = startWorker(options.workerUrl);
  const connection = new WorkerConnection(worker);
  try {
    await connection.open({
      name: options.name,
      storage: options.storage ?? 'auto',
      wasmUrl: wasmUrls(options.wasmUrl),
      memoryBytesMax,
    });
    return new BrowserDatabase<Mode>(connection, options.int64 === undefined ? {} : { int64: options.int64 });
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

// Bundlers recognise exactly these forms, copy the files and put their addresses in.
function startWorker(workerUrl: string | URL | undefined): Worker {
  if (workerUrl !== undefined) return new Worker(workerUrl, { type: 'module', name: 'elanus' });
  return new Worker(new URL('./engine-worker.js', import.meta.url), { type: 'module', name: 'elanus' });
}

function wasmUrls(folder: string | URL | undefined): OpenRequest['wasmUrl'] {
  if (folder === undefined) {
    return {
      simd: new URL('../wasm/elanus.wasm', import.meta.url).href,
      relaxed: new URL('../wasm/elanus-relaxed.wasm', import.meta.url).href,
    };
  }
  const base = new URL(folder, location.href);
  return { simd: new URL('elanus.wasm', base).href, relaxed: new URL('elanus-relaxed.wasm', base).href };
}

/** The way to an engine worker. If the worker dies, every call under way is rejected instead of waiting for ever. */
class WorkerConnection implements Connection {
  readonly #worker: Worker;
  readonly #engine: ReturnType<typeof wrap<EngineApi>>;
  readonly #died: Promise<never>;
  #closed = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#engine = wrap<EngineApi>(worker);
    this.#died = new Promise((_, reject) => {
      worker.addEventListener('error', (event) => {
        reject(
          new ElanusError(
            'unavailable',
            `The engine worker failed: ${event.message || 'its script could not be loaded'}.`,
          ),
        );
      });
      worker.addEventListener('messageerror', () => {
        reject(new ElanusError('internal', 'A message between page and engine worker could not be read.'));
      });
    });
    this.#died.catch(() => undefined);
  }

  open(request: OpenRequest): Promise<void> {
    return this.#alive(this.#engine.open(request));
  }

  call(method: string, body: unknown, options?: ConnectionCallOptions): Promise<unknown> {
    if (this.#closed) throw new ElanusError('closed', 'The database is closed; open it again.');
    const buffers = options?.transfer;
    const moved = buffers === undefined ? body : transfer(body as object, [...buffers]);
    return this.#alive(this.#engine.call(method, moved));
  }

  info(): Promise<Info> {
    return this.#alive(this.#engine.info());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#alive(this.#engine.close());
    this.#worker.terminate();
  }

  async destroy(): Promise<void> {
    if (this.#closed) throw new ElanusError('closed', 'The database is closed; open it again.');
    this.#closed = true;
    await this.#alive(this.#engine.destroy());
    this.#worker.terminate();
  }

  #alive<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return Promise.race([answer, this.#died]);
  }
}
