import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../core/base/crc32c.ts';
import { codeOf } from '../../../core/base/error.ts';
import { checkSection, decodeDirectory, decodeFile, encodeFile, type Section } from '../../../core/segment/format.ts';
import type { SegmentInfo } from '../../../core/segment/segment-info.ts';
import { segmentPrefix } from '../../../core/segment/segment-info.ts';
import { SegmentReader } from '../../../core/segment/segment-reader.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { metaOf } from '../column/batches.ts';

const byte = fc.integer({ min: 0, max: 255 });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const section: fc.Arbitrary<Section> = fc.record({
  kind: byte,
  type: byte,
  elementType: byte,
  hasValid: fc.boolean(),
  fieldId: u32,
  dimension: u32,
  rows: u32,
  bytes: fc.uint8Array({ maxLength: 40 }),
});

test('a file gives its sections back, whole or by ranges', () => {
  fc.assert(
    fc.property(fc.array(section, { maxLength: 5 }), (sections) => {
      const { bytes, directoryAt } = encodeFile(sections);
      expect(decodeFile(bytes, 'k')).toEqual(sections.map((each) => expect.objectContaining(each)));
      const entries = decodeDirectory(bytes.slice(directoryAt), directoryAt, 'k');
      for (const [at, entry] of entries.entries()) {
        expect(entry.offset % 16).toBe(0);
        expect(checkSection(bytes.slice(entry.offset, entry.end), entry, 'k')).toEqual(sections[at]?.bytes);
      }
    }),
  );
});

test('the example of FORMAT.md', () => {
  const shape = { type: 5, elementType: 0, hasValid: false, dimension: 0, rows: 2 };
  const { bytes, directoryAt } = encodeFile([
    { ...shape, kind: 1, fieldId: 100, bytes: new Uint8Array(BigInt64Array.of(7n, 8n).buffer) },
    { ...shape, kind: 3, fieldId: 0, type: 0, bytes: new Uint8Array(Uint32Array.of(5, 5, 0, 0).buffer) },
  ]);
  expect(bytes.byteLength).toBe(128);
  expect(directoryAt).toBe(48);
  expect([...bytes.subarray(16, 33)]).toEqual([7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
});

/** A file whose checksums are right though its directory was tampered with, as nobody writes it. */
function forged(change: (view: DataView, directoryAt: number) => void): Uint8Array {
  const base = { type: 0, elementType: 0, hasValid: false, dimension: 0, rows: 1 };
  const { bytes, directoryAt } = encodeFile([{ ...base, kind: 1, fieldId: 1, bytes: new Uint8Array(8) }]);
  const view = new DataView(bytes.buffer);
  change(view, directoryAt);
  const trailer = bytes.byteLength - 16;
  const header = bytes.slice(0, 16);
  new DataView(header.buffer).setUint16(4, view.getUint16(trailer + 6, true), true);
  const before = crc32c(bytes.subarray(directoryAt, trailer + 8), crc32c(header));
  view.setUint32(trailer + 8, crc32c(bytes.subarray(trailer + 12), before), true);
  return bytes;
}

test('sections that do not lie in the file are corruption, checksum or not', () => {
  expect(
    decodeFile(
      forged(() => undefined),
      'k',
    ).length,
  ).toBe(1);
  for (const field of [16, 20, 24]) {
    for (const value of [0xffff_fff0, 0x7fff_ffff, 200]) {
      const bytes = forged((view, at) => view.setUint32(at + field, value, true));
      expect(codeThrown(() => decodeFile(bytes, 'k'))).toBe('corrupt');
    }
  }
});

test('a file of a newer format is unsupported, not corrupt', () => {
  const bytes = forged((view) => view.setUint16(view.byteLength - 10, 2, true));
  expect(codeThrown(() => decodeFile(bytes, 'k'))).toBe('unsupported');
});

/** A file too large to be read whole, under the key that `info` names. */
const LARGE_ROWS = 20_000;
const LARGE = encodeFile(
  [100, 101].map((fieldId) => ({
    kind: 1,
    type: 5,
    elementType: 0,
    hasValid: false,
    fieldId,
    dimension: 0,
    rows: LARGE_ROWS,
    bytes: new Uint8Array(BigInt64Array.from({ length: LARGE_ROWS }, (_, at) => BigInt(at * fieldId)).buffer),
  })),
);
const INFO: SegmentInfo = {
  id: 'ab.7-0',
  partitionId: 0,
  rows: LARGE_ROWS,
  schemaVersion: 1,
  files: [
    {
      name: 'columns.0',
      bytes: LARGE.bytes.byteLength,
      directoryAt: LARGE.directoryAt,
      fieldIds: [100, 101],
      startRow: 0,
      rows: LARGE_ROWS,
    },
  ],
  deltas: [],
  minKey: '0',
  maxKey: '1999900',
  maxTimestamp: '1',
  completeTo: { term: 1, index: 1 },
};
const META = metaOf({ shapes: [{ id: 100, type: 'Int64', nullable: false }], dimensions: new Map() });

async function readLarge(bytes: Uint8Array): Promise<string | undefined> {
  const objects = new MemoryStore();
  const key = `${segmentPrefix(META.id, INFO)}columns.0`;
  await objects.create(key, bytes);
  const reader = new SegmentReader(objects, META, INFO);
  try {
    for (const field of [101, 100]) expect((await reader.column(field)).values[7]).toBe(BigInt(7 * field));
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return message.includes(key) ? codeOf(error) : message;
  }
}

test('a large file is checked range by range: whatever is read of it is right', async () => {
  expect(await readLarge(LARGE.bytes)).toBeUndefined();
  const size = LARGE.bytes.byteLength;
  await fc.assert(
    // Mostly the directory, where a bit does most harm. The header is the one part that ranges never touch.
    fc.asyncProperty(
      fc.oneof(fc.integer({ min: 16, max: size - 1 }), fc.integer({ min: LARGE.directoryAt, max: size - 1 })),
      fc.nat(7),
      async (at, bit) => {
        const damaged = LARGE.bytes.slice();
        damaged[at]! ^= 1 << bit;
        expect(await readLarge(damaged)).toBe('corrupt');
      },
    ),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.integer({ min: 1, max: size - 1 }), fc.integer({ min: LARGE.directoryAt, max: size - 1 })),
      async (end) => {
        expect(await readLarge(LARGE.bytes.subarray(0, end))).toBe('corrupt');
      },
    ),
    { numRuns: 100 },
  );
});

function codeThrown(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
