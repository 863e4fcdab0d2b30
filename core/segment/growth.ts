import { BIGINT_BYTES, TABLE_ENTRY_BYTES, valueFootprint } from '../base/footprint.ts';
import { batchDirectory, fixedWidth } from '../column/codec.ts';
import type { Key } from '../model/column.ts';
import { type CollectionMeta, isVector, type ScalarType } from '../model/schema.ts';
import type { MemoryGrowth } from '../vector/residency.ts';
import type { SegmentInfo } from './segment-info.ts';

/** Room that the blocks of one vector field may take beyond its values. */
const VECTOR_SLACK_BYTES = 1024 * 1024;
/** A text or an array beside its content. */
const VALUE_BYTES = 40;
/** A row that has ended: in its segment, and in the channel until a flush. */
const END_BYTES = 2 * (TABLE_ENTRY_BYTES + BIGINT_BYTES) + VALUE_BYTES;
/** The place of a row in the table of its segment's keys, its timestamp, and the end of the row that it replaces. */
const ROW_BYTES = TABLE_ENTRY_BYTES + BIGINT_BYTES + 8 + END_BYTES;
/** Texts of which one character needs two bytes take two for each. */
const TEXT_FACTOR = 2;
/** An element of one byte takes a slot of eight. */
const ARRAY_FACTOR = 8;
/** The inverse of its length that a vector has beside it. */
const NORM_BYTES = 4;
/** A key in the hash table of a flushed segment, at most. */
const KEY_SLOT_BYTES = 16;

/** At most so much memory does an encoded batch take when a growing segment has taken it in. */
export function growthOfWrite(batch: Uint8Array): MemoryGrowth {
  const { rows, columns } = batchDirectory(batch);
  let kernelBytes = 0;
  let kernelSlackBytes = 0;
  let heapBytes = rows * ROW_BYTES;
  for (const { type, bytes } of columns) {
    if (type === undefined) {
      kernelBytes += bytes + rows * NORM_BYTES;
      kernelSlackBytes += VECTOR_SLACK_BYTES;
    } else if (type === 'Array') heapBytes += rows * VALUE_BYTES + ARRAY_FACTOR * bytes;
    else if (fixedWidth(type) === undefined) heapBytes += rows * VALUE_BYTES + TEXT_FACTOR * bytes;
    else heapBytes += bytes;
  }
  return { kernelBytes, heapBytes, kernelSlackBytes };
}

/** At most so much memory does the deletion of these keys take. */
export function growthOfDelete(keys: readonly Key[]): MemoryGrowth {
  const heapBytes = keys.reduce((sum: number, key) => sum + END_BYTES + valueFootprint(key), 0);
  return { kernelBytes: 0, heapBytes };
}

/** What a load takes, and the bytes that are read for it, which are held until it is done. */
export interface LoadGrowth extends MemoryGrowth {
  readonly heldBytes: number;
}

/** Several loads at once. */
export function sumOf(growths: readonly LoadGrowth[]): LoadGrowth {
  const sum = { kernelBytes: 0, heapBytes: 0, heldBytes: 0 };
  for (const { kernelBytes, heapBytes, heldBytes } of growths) {
    sum.kernelBytes += kernelBytes;
    sum.heapBytes += heapBytes;
    sum.heldBytes += heldBytes;
  }
  return sum;
}

/** About so much memory does a flushed segment take for one more field, and so many bytes are read for it. */
export function growthOfLoad(meta: CollectionMeta, info: SegmentInfo, fieldId: number): LoadGrowth {
  const field = meta.schema.fields.find(({ id }) => id === fieldId);
  const files = info.files.filter(({ fieldIds }) => fieldIds.includes(fieldId));
  const fileBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (field !== undefined && isVector(field)) {
    const kernelBytes = info.rows * ((field.dimension ?? 0) * 4 + NORM_BYTES);
    const largest = files.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    return { kernelBytes, heapBytes: 0, heldBytes: largest };
  }
  const width = field === undefined || isVector(field) ? undefined : fixedWidth(field.type as ScalarType);
  if (width === undefined) {
    return { kernelBytes: 0, heapBytes: TEXT_FACTOR * fileBytes + info.rows * VALUE_BYTES, heldBytes: fileBytes };
  }
  const bytes = info.rows * width;
  return { kernelBytes: 0, heapBytes: bytes + info.rows * KEY_SLOT_BYTES, heldBytes: Math.min(bytes, fileBytes) };
}
