import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Key } from '../../core/model/column.ts';
import { DYNAMIC_FIELD_ID } from '../../core/model/schema.ts';
import { encodeDelta } from '../../core/segment/delta.ts';
import { GrowingSegment } from '../../core/segment/growing-segment.ts';
import type { SegmentInfo } from '../../core/segment/segment-info.ts';
import { writeSegment } from '../../core/segment/segment-writer.ts';
import type { Timestamp } from '../../core/time/timestamp.ts';
import { Residency } from '../../core/vector/residency.ts';
import { batchOf, metaOf, type Row, type Shape, type Table } from '../core/column/batches.ts';
import { nodeKernel } from '../node/kernel.ts';

/**
 * A segment with a field of every type, as format 1 writes it. Its files lie in `segment-v1/`: they are never written
 * again, and every later version must read them. `node test/golden/segment-v1.ts` made them.
 */

const FOLDER = new URL('segment-v1/', import.meta.url);

const SHAPES: readonly Shape[] = [
  { id: DYNAMIC_FIELD_ID, type: 'JSON', nullable: false },
  { id: 100, type: 'Int64', nullable: false },
  { id: 101, type: 'Bool', nullable: false },
  { id: 102, type: 'Int8', nullable: true },
  { id: 103, type: 'Int16', nullable: false },
  { id: 104, type: 'Int32', nullable: false },
  { id: 105, type: 'Float', nullable: false },
  { id: 106, type: 'Double', nullable: true },
  { id: 107, type: 'VarChar', nullable: true },
  { id: 108, type: 'JSON', nullable: false },
  { id: 109, type: 'Array', elementType: 'VarChar', nullable: false },
  { id: 110, type: 'Array', elementType: 'Int64', nullable: true },
];

export const GOLDEN_TABLE: Table = {
  shapes: SHAPES,
  dimensions: new Map([
    [200, 3],
    [201, 5],
  ]),
};

function goldenRow(key: Key, at: number): Row {
  return {
    [DYNAMIC_FIELD_ID]: at === 0 ? '{}' : `{"n":${at}}`,
    100: key,
    101: at % 2 === 0,
    102: at === 1 ? null : -128 + at,
    103: 32_767 - at,
    104: -(2 ** 31) + at,
    105: Math.fround(0.1 + at),
    106: at === 2 ? null : 0.1 + at,
    107: [null, '', 'grün', '\u{1F600}'][at] ?? null,
    108: `[${at},null]`,
    109: [['a', '', 'é'], [], ['b'], []][at] ?? [],
    110: at === 3 ? null : [BigInt(at), -(2n ** 63n)],
    200: Float32Array.of(at, at + 0.5, -at),
    201: Float32Array.of(1, 2, 3, 4, at),
  };
}

/** The rows that the files hold, in their order. */
export const GOLDEN_ROWS: readonly Row[] = [-(2n ** 63n), 0n, 2n ** 53n + 1n, 2n ** 63n - 1n].map(goldenRow);

const INSERTED_AT = 0x0123_4567_89ab_cdefn;
/** What the delta deletes: a row that is there, and one that is not. */
export const GOLDEN_DELETES: ReadonlyMap<Key, Timestamp> = new Map([
  [0n, INSERTED_AT + 0x1_0000_0000n],
  [5n, INSERTED_AT + 0x1_0000_0001n],
]);
export const GOLDEN_META: ReturnType<typeof metaOf> = metaOf(GOLDEN_TABLE);

export interface GoldenFiles {
  readonly info: SegmentInfo;
  /** By the last part of their keys. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What this version writes. */
export async function writeGolden(): Promise<GoldenFiles> {
  const kernel = await nodeKernel();
  const growing = new GrowingSegment('g', GOLDEN_META, new Residency(kernel, 2 * kernel.bytesMax));
  const { shapes, dimensions } = GOLDEN_TABLE;
  // A row that is replaced before the flush leaves no trace.
  growing.append(batchOf(shapes, dimensions, [goldenRow(0n, 3)]), INSERTED_AT - 1n);
  growing.append(batchOf(shapes, dimensions, GOLDEN_ROWS.slice(0, 3)), INSERTED_AT);
  growing.append(batchOf(shapes, dimensions, GOLDEN_ROWS.slice(3)), INSERTED_AT + 1n);
  const place = { id: '0000000000000abc.7-0', partitionId: 2, completeTo: { term: 3, index: 14 } };
  const written = writeSegment(growing, { ...place, meta: GOLDEN_META, timestamp: INSERTED_AT + 1n });
  growing.free();
  if (written === undefined) throw new Error('The golden segment has rows.');
  const delta = { name: 'delta.0000000000000abd', bytes: encodeDelta(GOLDEN_DELETES) };
  const deltas = [{ name: delta.name, bytes: delta.bytes.byteLength, deletes: GOLDEN_DELETES.size }];
  const objects = written.objects.map(({ key, bytes }): [string, Uint8Array] => [
    key.slice(key.lastIndexOf('/') + 1),
    bytes,
  ]);
  return { info: { ...written.info, deltas }, files: new Map([...objects, [delta.name, delta.bytes]]) };
}

/** What format 1 wrote once. */
export async function readGolden(): Promise<GoldenFiles> {
  const info = JSON.parse(await readFile(new URL('info.json', FOLDER), 'utf8')) as SegmentInfo;
  const names = [...info.files, ...info.deltas].map(({ name }) => name);
  const files = names.map(
    async (name): Promise<[string, Uint8Array]> => [name, new Uint8Array(await readFile(new URL(name, FOLDER)))],
  );
  return { info, files: new Map(await Promise.all(files)) };
}

if (import.meta.main) {
  const { info, files } = await writeGolden();
  await mkdir(FOLDER, { recursive: true });
  await writeFile(new URL('info.json', FOLDER), `${JSON.stringify(info, undefined, 2)}\n`);
  for (const [name, bytes] of files) await writeFile(new URL(name, FOLDER), bytes);
}
