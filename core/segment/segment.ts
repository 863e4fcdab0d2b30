import type { Column, ColumnBatch, Key } from '../model/column.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { TopK } from '../vector/kernel.ts';

/**
 * A part of a channel's rows, growing or sealed, as reads see it. Rows are numbered from 0 and numbers never change.
 *
 * A row has one insert and at most one end: the timestamp at which its key was deleted, or written again. Rows and
 * ends are applied in log order, so a view that was taken at timestamp T sees all rows that there were then, less those
 * that ended at or before T.
 */
export interface Segment {
  readonly id: string;
  readonly state: 'growing' | 'sealed' | 'flushed';
  /** Rows, ended ones included. */
  readonly length: number;
  /** Rows that are not known to have ended. */
  readonly liveRows: number;
  /** Bytes in the kernel's memory. */
  readonly bytes: number;
  /** Bytes of JavaScript's memory: scalar columns, the key index, deletes. Typed arrays exactly, texts and tables about. */
  readonly heapBytes: number;

  /**
   * Brings fields into memory and runs what reads them, in one turn: afterwards they may make room for others. Visits
   * that need the same field share the reading; one that finds no room waits for others to end.
   */
  visit<Result>(fieldIds: readonly number[], run: () => Result): Promise<Result>;
  /** Begins to bring fields into memory if there is room to spare. */
  prefetch(fieldIds: readonly number[]): void;

  /** False only if no row has this key. */
  mayContain(key: Key): boolean;
  /** A loaded scalar field. */
  column(fieldId: number): Column;
  /**
   * The bitmap of the first `rows` rows that had not ended at `timestamp` and, if a filter's three-valued result is
   * given, match it.
   */
  allow(timestamp: Timestamp, rows: number, matches?: Uint8Array): Uint8Array;
  /** The nearest of the first `rows` rows that `allow` names, in a loaded vector field. */
  search(fieldId: number, queries: Float32Array, limit: number, allow: Uint8Array, rows: number): TopK;
  /** These rows of loaded fields, in this order. */
  gather(rows: Uint32Array, fieldIds: readonly number[]): ColumnBatch;

  /** Ends the row of a key, if there is one that lives. Returns whether there was. */
  markDeleted(key: Key, timestamp: Timestamp): boolean;
  /** Gives the memory back. */
  free(): void;
}
