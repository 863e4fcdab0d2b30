import { bytesOf, encodeColumn, typeCode } from '../column/codec.ts';
import { gatherColumn } from '../column/gather.ts';
import type { Column, Key } from '../model/column.ts';
import { type CollectionMeta, primaryField } from '../model/schema.ts';
import { compareKeys } from '../query/reduce.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { FlatVectors } from '../vector/kernel.ts';
import type { Position } from '../wal/log.ts';
import { encodeTimestamps } from './delta.ts';
import { encodeFile, SECTION_COLUMN, SECTION_TIMESTAMPS, SECTION_VECTORS, type Section } from './format.ts';
import type { GrowingSegment } from './growing-segment.ts';
import { keyText, type SegmentFile, type SegmentInfo, segmentPrefix } from './segment-info.ts';

/** A file is split by rows when it would pass this: two fit the largest object with room to spare. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

export interface WrittenSegment {
  readonly info: SegmentInfo;
  readonly objects: readonly { readonly key: string; readonly bytes: Uint8Array }[];
  /** The rows of the growing segment that were written, in their new order. */
  readonly rows: Uint32Array;
}

/**
 * The objects of a growing segment that is sealed: pure, the caller creates them. Rows that ended at or before
 * `timestamp`, the newest below the new checkpoint, are left out; undefined if no row is left.
 */
export function writeSegment(
  segment: GrowingSegment,
  as: {
    readonly id: string;
    readonly meta: CollectionMeta;
    readonly partitionId: number;
    readonly timestamp: Timestamp;
    readonly completeTo: Position;
  },
): WrittenSegment | undefined {
  const { columns, vectors, insertedAt, deletes } = segment.parts;
  const rows = Uint32Array.from({ length: segment.length }, (_, row) => row).filter((row) => {
    const end = deletes.get(row);
    return end === undefined || end > as.timestamp;
  });
  if (rows.length === 0) return undefined;
  const prefix = segmentPrefix(as.meta.id, as);
  const objects: { key: string; bytes: Uint8Array }[] = [];
  const files: SegmentFile[] = [];
  const add = (kind: string, fieldIds: readonly number[], build: (part: Uint32Array) => Section[]): void => {
    let count = 0;
    for (const { start, part, sections } of splitRows(rows, build)) {
      const { bytes, directoryAt } = encodeFile(sections);
      const name = `${kind}.${count++}`;
      files.push({ name, bytes: bytes.byteLength, directoryAt, fieldIds, startRow: start, rows: part.length });
      objects.push({ key: prefix + name, bytes });
    }
  };
  add('columns', [...columns.keys()], (part) => [
    ...[...columns].map(([id, column]) => columnSection(id, gatherColumn(column, part))),
    timestampSection(insertedAt, part),
  ]);
  for (const [id, flat] of vectors) add(`vectors.${id}`, [id], (part) => [vectorSection(id, flat, part)]);
  const keys = (columns.get(primaryField(as.meta.schema).id) as Column).values as ArrayLike<Key>;
  const [minKey, maxKey] = keyRange(keys, rows);
  const info: SegmentInfo = {
    id: as.id,
    partitionId: as.partitionId,
    rows: rows.length,
    schemaVersion: as.meta.version,
    files,
    deltas: [],
    minKey: keyText(minKey),
    maxKey: keyText(maxKey),
    maxTimestamp: String(insertedAt[rows[rows.length - 1] ?? 0] ?? 0n),
    completeTo: as.completeTo,
  };
  return { info, objects, rows };
}

/** Halves the rows until each part's sections fit a file. */
function* splitRows(
  rows: Uint32Array,
  build: (part: Uint32Array) => Section[],
  start = 0,
): Generator<{ start: number; part: Uint32Array; sections: Section[] }> {
  const sections = build(rows);
  const bytes = sections.reduce((sum, section) => sum + section.bytes.byteLength, 0);
  if (bytes <= FILE_BYTES_MAX || rows.length === 1) {
    yield { start, part: rows, sections };
    return;
  }
  const half = rows.length >> 1;
  yield* splitRows(rows.subarray(0, half), build, start);
  yield* splitRows(rows.subarray(half), build, start + half);
}

function columnSection(fieldId: number, column: Column): Section {
  return {
    kind: SECTION_COLUMN,
    fieldId,
    type: typeCode(column.type),
    elementType: typeCode(column.type === 'Array' ? column.elementType : undefined),
    hasValid: column.valid !== undefined,
    dimension: 0,
    rows: column.length,
    bytes: encodeColumn(column),
  };
}

function vectorSection(fieldId: number, flat: FlatVectors, rows: Uint32Array): Section {
  const { dimension } = flat;
  const bytes = bytesOf(flat.readMany(rows));
  return {
    kind: SECTION_VECTORS,
    fieldId,
    type: 0,
    elementType: 0,
    hasValid: false,
    dimension,
    rows: rows.length,
    bytes,
  };
}

function timestampSection(insertedAt: BigUint64Array, rows: Uint32Array): Section {
  const timestamps = BigUint64Array.from(rows, (row) => insertedAt[row] ?? 0n);
  return {
    kind: SECTION_TIMESTAMPS,
    fieldId: 0,
    type: 0,
    elementType: 0,
    hasValid: false,
    dimension: 0,
    rows: rows.length,
    bytes: encodeTimestamps(timestamps),
  };
}

function keyRange(keys: ArrayLike<Key>, rows: Uint32Array): [Key, Key] {
  let min = keys[rows[0] ?? 0] as Key;
  let max = min;
  for (const row of rows) {
    const key = keys[row] as Key;
    if (compareKeys(key, min) < 0) min = key;
    if (compareKeys(key, max) > 0) max = key;
  }
  return [min, max];
}
