import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { decodeRecord, encodeRecord, type LogRecord } from '../../../core/wal/record.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const key = fc.oneof(
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: 1, maxLength: 20 }),
);
const record: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    partitionId: u32,
    schemaVersion: u32,
    batch: fc.uint8Array({ maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), partitionId: u32, keys: key }),
);

test('a record comes out of its bytes as it went in, wherever they lie', () => {
  fc.assert(
    fc.property(record, fc.integer({ min: 0, max: 9 }), (each, by) => {
      const bytes = encodeRecord(each);
      const buffer = new Uint8Array(by + bytes.byteLength);
      buffer.set(bytes, by);
      expect(decodeRecord(buffer.subarray(by))).toEqual(each);
    }),
    { numRuns: 500 },
  );
});

test('the batch of a write is not copied', () => {
  const bytes = encodeRecord({ kind: 'write', partitionId: 0, schemaVersion: 1, batch: Uint8Array.of(1, 2, 3) });
  const decoded = decodeRecord(bytes);
  expect(decoded.kind === 'write' && decoded.batch.buffer).toBe(bytes.buffer);
});

test('bytes that are no record are corrupt; a delete that is cut off, or goes on, is one of them', () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (each, seed, more) => {
      const bytes = encodeRecord(each);
      const cut = bytes.subarray(0, seed % bytes.byteLength);
      // The batch of a write is opaque: its own encoding tells whether it is whole.
      if (each.kind === 'delete' || cut.byteLength < 16) expect(errorCode(cut)).toBe('corrupt');
      const longer = new Uint8Array([...bytes, ...more]);
      if (each.kind === 'delete') expect(errorCode(longer)).toBe('corrupt');
    }),
    { numRuns: 500 },
  );
});

test('hostile bytes are corrupt or a record, never a crash', () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.integer({ min: 0, max: 255 }), u32, (each, at, byte, count) => {
      const bytes = encodeRecord(each);
      bytes[at % bytes.byteLength] = byte;
      if (at % 3 === 0) new DataView(bytes.buffer).setUint32(8, count, true);
      expect([undefined, 'corrupt']).toContain(errorCode(bytes));
    }),
    { numRuns: 3000 },
  );
});

function errorCode(bytes: Uint8Array): string | undefined {
  try {
    decodeRecord(bytes);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
