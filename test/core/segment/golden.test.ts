import { afterAll, expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { SealedSegment } from '../../../core/segment/sealed-segment.ts';
import { segmentPrefix } from '../../../core/segment/segment-info.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { Residency } from '../../../core/vector/residency.ts';
import {
  GOLDEN_META,
  GOLDEN_ROWS,
  GOLDEN_TABLE,
  type GoldenFiles,
  readGolden,
  writeGolden,
} from '../../golden/segment-v1.ts';
import { nodeKernel } from '../../node/kernel.ts';
import { readVisible } from './history.ts';

const kernel = await nodeKernel(16 * 1024 * 1024);
const golden = await readGolden();
const prefix = segmentPrefix(GOLDEN_META.id, golden.info);
const FIELD_IDS = [...GOLDEN_TABLE.shapes.map(({ id }) => id), ...GOLDEN_TABLE.dimensions.keys()];

afterAll(() => {
  expect(kernel.bytes).toBe(0);
});

async function open({ info, files }: GoldenFiles): Promise<SealedSegment> {
  const objects = new MemoryStore();
  for (const [name, bytes] of files) await objects.create(prefix + name, bytes);
  return new SealedSegment(
    { objects, residency: new Residency(kernel, 2 * kernel.bytesMax) },
    GOLDEN_META,
    info,
    () => undefined,
  );
}

test('this version writes format 1 byte for byte', async () => {
  const written = await writeGolden();
  expect(JSON.parse(JSON.stringify(written.info))).toEqual(golden.info);
  expect([...written.files.keys()]).toEqual([...golden.files.keys()]);
  for (const [name, bytes] of written.files)
    expect(Buffer.from(bytes).equals(golden.files.get(name)!), name).toBe(true);
});

test('this version reads what format 1 wrote', async () => {
  const segment = await open(golden);
  const before = 0x0123_4567_89ab_cdf0n;
  const deletedAt = 0x0123_4568_89ab_cdefn;
  expect(await readVisible(segment, GOLDEN_TABLE, before)).toEqual(GOLDEN_ROWS);
  expect(await readVisible(segment, GOLDEN_TABLE, deletedAt - 1n)).toEqual(GOLDEN_ROWS);
  expect(await readVisible(segment, GOLDEN_TABLE, deletedAt)).toEqual(GOLDEN_ROWS.filter((row) => row[100] !== 0n));
  expect(segment.mayContain(2n ** 63n - 1n)).toBe(true);
  segment.free();
});

/** The code of reading the whole segment with one file replaced, and whether the error names that file's key. */
async function damage(name: string, bytes: Uint8Array): Promise<string | undefined> {
  const segment = await open({ info: golden.info, files: new Map([...golden.files, [name, bytes]]) });
  try {
    await segment.visit(FIELD_IDS, () => undefined);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return message.includes(prefix + name) ? codeOf(error) : message;
  } finally {
    segment.free();
  }
}

test('every flipped bit of every file is corruption, by the name of the object', async () => {
  expect(await damage('columns.0', golden.files.get('columns.0')!)).toBeUndefined();
  for (const [name, bytes] of golden.files) {
    for (let bit = 0; bit < 8 * bytes.byteLength; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(await damage(name, damaged), `${name}, bit ${bit}`).toBe('corrupt');
    }
  }
});

test('every file that was cut off, or goes on, is corruption, by the name of the object', async () => {
  for (const [name, bytes] of golden.files) {
    for (let end = 1; end < bytes.byteLength; end++) {
      expect(await damage(name, bytes.subarray(0, end)), `${name}, ${end} bytes`).toBe('corrupt');
    }
    expect(await damage(name, new Uint8Array([...bytes, 0])), name).toBe('corrupt');
  }
});
