import { ElanusError } from '../core/base/error.ts';
import { Database } from '../core/client/database.ts';
import type { Int64Mode } from '../core/elanus.ts';
import { carryErrors } from '../wasm/carry-errors.ts';
import { whereInstalled } from '../wasm/where-installed.ts';
import { memoryBudget } from './memory-budget.ts';
import { TabConnection } from './page/tab-connection.ts';
import type { LinkChoice, OpenRequest, StorageKind } from './protocol.ts';

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
  /** For diagnosis: how this tab reaches the engine while another tab leads. `auto`, the default, takes the faster. */
  readonly link?: LinkChoice;
}

/** A database in this tab, shared with all tabs that have it open. */
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
 * Opens, or creates, a database in this origin. The engine runs in a Web Worker; nothing blocks the page. Any number of
 * tabs, and workers of theirs, may open one name: one of them leads, with the storage and memory that it asked for, and
 * when it goes another takes over. Databases in `memory` are each opener's own.
 *
 * Rejects with `invalid` for a bad option, `quota` if the browser gives no room, `unavailable` if the worker or the WASM
 * core cannot be loaded, `locked` if a tab with another version of Elanus leads, `unsupported` where there are no Web
 * Workers: on a server that renders pages it may be imported, but not called.
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
  if (typeof Worker === 'undefined') {
    const advice = 'call it in the page (in an effect, or on an event), or reach a server by `connect` of `elanus`';
    throw new ElanusError('unsupported', `open needs a browser, and this host has no Web Workers: ${advice}.`);
  }
  carryErrors();
  // Bundlers recognise exactly `new URL('…', import.meta.url)`, copy the file as it is and put its address in.
  const workerUrl = options.workerUrl ?? whereInstalled(new URL('./engine-worker.js', import.meta.url), 'browser');
  const connection = new TabConnection({
    name: options.name,
    storage: options.storage ?? 'auto',
    workerUrl: new URL(workerUrl, location.href).href,
    wasmUrl: wasmUrls(options.wasmUrl),
    memoryBytesMax,
    link: options.link ?? 'auto',
  });
  await connection.open();
  return new BrowserDatabase<Mode>(connection, options.int64 === undefined ? {} : { int64: options.int64 });
}

function wasmUrls(folder: string | URL | undefined): OpenRequest['wasmUrl'] {
  if (folder === undefined) {
    return {
      simd: whereInstalled(new URL('../wasm/elanus.wasm', import.meta.url), 'wasm').href,
      relaxed: whereInstalled(new URL('../wasm/elanus-relaxed.wasm', import.meta.url), 'wasm').href,
    };
  }
  const base = new URL(folder, location.href);
  return { simd: new URL('elanus.wasm', base).href, relaxed: new URL('elanus-relaxed.wasm', base).href };
}
