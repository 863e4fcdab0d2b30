import type { Info } from '../core/elanus.ts';

/** What the page tells the engine worker when it opens a database. */
export interface OpenRequest {
  readonly name: string;
  readonly storage: StorageKind | 'auto';
  /** The two builds of the WASM core. */
  readonly wasmUrl: { readonly simd: string; readonly relaxed: string };
  /** Bytes of memory that the engine may hold, in WASM and JavaScript. */
  readonly memoryBytesMax: number;
}

/** Where the data lies. */
export type StorageKind = 'indexeddb+opfs' | 'indexeddb' | 'memory';

/** What the engine worker answers to; exposed through Comlink. Errors cross by the transfer handler of `carry-errors.ts`. */
export interface EngineApi {
  open(request: OpenRequest): Promise<void>;
  call(method: string, body: unknown): Promise<unknown>;
  info(): Promise<Info>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}
