import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { BATCH_HEADER_BYTES, decodeLogBatch, encodeLogBatch, recordBytes } from '../../../core/wal/batch.ts';

const batches = fc
  .array(fc.tuple(fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), fc.uint8Array({ minLength: 1, maxLength: 100 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((records) => records.map(([timestamp, bytes]) => ({ timestamp, bytes })));

test('a batch comes back as it was, each record in place at a multiple of 16', () => {
  fc.assert(
    fc.property(batches, (records) => {
      const bytes = encodeLogBatch(records);
      const size = records.reduce((sum, record) => sum + recordBytes(record.bytes.byteLength), BATCH_HEADER_BYTES);
      expect(bytes.byteLength).toBe(size);
      const decoded = decodeLogBatch(bytes);
      expect(decoded).toEqual(records);
      for (const record of decoded) expect(record.bytes.byteOffset % 16).toBe(0);
    }),
  );
});

test('whatever the bytes are, they are a batch or corrupt, and never more than is there', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.nat(255), fc.nat(), (records, at, value, cut) => {
      const bytes = encodeLogBatch(records);
      bytes[at % bytes.byteLength] = value;
      try {
        for (const { bytes: record } of decodeLogBatch(bytes.slice(0, 1 + (cut % bytes.byteLength)))) {
          expect(record.byteLength).toBeLessThan(bytes.byteLength);
        }
      } catch (error) {
        expect(codeOf(error)).toBe('corrupt');
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a batch that is cut off or has something behind it is corrupt', () => {
  const bytes = encodeLogBatch([
    { timestamp: 1n, bytes: new Uint8Array(20) },
    { timestamp: 2n, bytes: new Uint8Array(3) },
  ]);
  for (let length = 0; length < bytes.byteLength; length += 16) {
    expect(() => decodeLogBatch(bytes.slice(0, length))).toThrow(expect.objectContaining({ code: 'corrupt' }));
  }
  const longer = new Uint8Array(bytes.byteLength + 16);
  longer.set(bytes);
  expect(() => decodeLogBatch(longer)).toThrow(expect.objectContaining({ code: 'corrupt' }));
});
