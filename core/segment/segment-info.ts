import type { Key } from '../model/column.ts';
import type { Position } from '../wal/log.ts';

/** One object of a segment. */
export interface SegmentFile {
  /** The last part of its key: `columns.0`, `vectors.101.0`. */
  readonly name: string;
  readonly bytes: number;
  /** Where its directory begins: one range read from here tells where everything is. */
  readonly directoryAt: number;
  /** The fields it holds, all for the same rows. */
  readonly fieldIds: readonly number[];
  /** Its rows: `rows` of the segment's, from `startRow` on. */
  readonly startRow: number;
  readonly rows: number;
}

/** An object that ends rows of a segment: deletes that lay in the log below a flush's checkpoint. */
export interface SegmentDelta {
  /** The last part of its key: `delta.<build>`. */
  readonly name: string;
  readonly bytes: number;
  readonly deletes: number;
}

/** A flushed segment as the manifest names it: plain JSON. */
export interface SegmentInfo {
  readonly id: string;
  readonly partitionId: number;
  readonly rows: number;
  readonly schemaVersion: number;
  readonly files: readonly SegmentFile[];
  readonly deltas: readonly SegmentDelta[];
  /** The smallest and largest primary key: a text, or the digits of an Int64. */
  readonly minKey: string;
  readonly maxKey: string;
  /** The newest timestamp of its rows, in decimal. */
  readonly maxTimestamp: string;
  /** The first position of the log that it does not hold. */
  readonly completeTo: Position;
}

/** Where the objects of a segment lie, ending in a slash. */
export function segmentPrefix(
  collectionId: number,
  segment: { readonly id: string; readonly partitionId: number },
): string {
  return `collections/${collectionId}/partitions/${segment.partitionId}/segments/${segment.id}/`;
}

/** A key as `SegmentInfo` writes it. */
export function keyText(key: Key): string {
  return String(key);
}
