import type { Key } from './column.ts';
import { CHANGE_KEYS_MAX } from './limits.ts';

/**
 * What happened: `write` (rows inserted or replaced), `delete`, `create`, `drop`, `load`, `release`; or `unknown`: the
 * engine changed hands, and the last changes of the one before may have been announced to nobody. Who shows what is
 * stored looks again.
 */
export type ChangeKind = 'write' | 'delete' | 'create' | 'drop' | 'load' | 'release' | 'unknown';

/** Keys as the engine announces them. */
export type AnnouncedKeys = BigInt64Array | readonly Key[];

/**
 * A change that was committed: it is durable, and every read that begins now sees it. Structured-cloneable. Changes of
 * one collection are announced in the order of their timestamps if it has one shard.
 *
 * @typeParam Keys a list; on the way to a client also the column of an Int64 key, which is copied ten times as fast
 */
export interface Change<Keys = AnnouncedKeys> {
  readonly kind: ChangeKind;
  /** Of the collection; absent only in `unknown`: any collection may have changed. */
  readonly databaseName?: string;
  /** As `databaseName`. */
  readonly collectionName?: string;
  /** The keys that were written or deleted, at most `CHANGE_KEYS_MAX`; absent if there are more, or none to name. */
  readonly keys?: Keys;
  /** Rows that were written, keys that were deleted; 0 for what is not about rows. */
  readonly count: number;
  /** Of the write; 0 for what has none. */
  readonly timestamp: bigint;
}

/** Rows of a collection that were written, or keys that were deleted. */
export function rowsChange(
  kind: 'write' | 'delete',
  place: { readonly databaseName: string; readonly collectionName: string },
  keys: ArrayLike<Key>,
  timestamp: bigint,
): Change {
  const { databaseName, collectionName } = place;
  const count = keys.length;
  if (count > CHANGE_KEYS_MAX) return { kind, databaseName, collectionName, count, timestamp };
  // A copy: cloning a view would take the whole record behind it along.
  const named = keys instanceof BigInt64Array ? keys.slice() : Array.from(keys);
  return { kind, databaseName, collectionName, keys: named, count, timestamp };
}

/** Whether a change is about this collection, or may be. */
export function concerns(
  change: Change<unknown>,
  place: { readonly databaseName: string; readonly collectionName: string },
): boolean {
  const { databaseName = place.databaseName, collectionName = place.collectionName } = change;
  return databaseName === place.databaseName && collectionName === place.collectionName;
}
