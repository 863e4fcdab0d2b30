import type { Info } from '../elanus.ts';
import type { Change } from '../model/change.ts';

/** What a call takes beside its body, on its way to the engine. */
export interface ConnectionCallOptions {
  /** Aborting stops the waiting: the call rejects with `aborted`, and the work may or may not be done. */
  readonly signal?: AbortSignal;
  /** Buffers of the body that may be moved instead of copied, where the connection can. */
  readonly transfer?: readonly ArrayBuffer[];
}

/**
 * The way from a client to an engine: over HTTP, into a Web Worker, or a function call away.
 *
 * - `method` is the name of a method of `Elanus` that takes a body (`insert`, `search`, `count`, …), `body` that of
 *   Milvus's REST v2, where vectors may be typed arrays and Int64 values bigint.
 * - It resolves to REST's `data` without the envelope: Int64 values as bigint, float vectors as `Float32Array`,
 *   `search` to one list per query, `hasCollection` to `{ has }`, `count` to a number.
 * - It rejects with `ElanusError`. `unavailable` leaves open whether a write took effect.
 */
export interface Connection {
  call(method: string, body: unknown, options?: ConnectionCallOptions): Promise<unknown>;
  /**
   * Tells `listener` of every change that is committed from now on, by whatever client; the answer ends that, and may be
   * called again. Absent where changes are not announced.
   */
  subscribe?(listener: (change: Change) => void): () => void;
  info(): Promise<Info>;
  /** Lets go of everything; later calls reject with `closed`. Idempotent. */
  close(): Promise<void>;
  /** Deletes the whole database with its data; rejects with `unsupported` where the connection may not. */
  destroy(): Promise<void>;
}
