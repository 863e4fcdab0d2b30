import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import type { RequestId } from '../../../core/model/request-id.ts';
import { decodeRecord, encodeRecord, type LogRecord } from '../../../core/wal/record.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const key = fc.oneof(
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: 1, maxLength: 20 }),
);
const request: fc.Arbitrary<RequestId> = fc
  .record({
    client: fc.stringMatching(/^[0-9a-f]{16}$/),
    sequence: fc.maxSafeNat().map((value) => Math.max(1, value)),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ client, sequence, part }) => ({
    client,
    sequence,
    firstPending: Math.min(sequence, 1 + Math.floor(part * (sequence - 1))),
  }));
const body: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    partitionId: u32,
    schemaVersion: u32,
    batch: fc.uint8Array({ maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), partitionId: u32, keys: key }),
);
const record: fc.Arbitrary<LogRecord> = fc
  .tuple(body, fc.option(request, { nil: undefined }))
  .map(([each, id]) => (id === undefined ? each : { ...each, request: id }));

/** As version 1 wrote them: without a request id. */
const VERSION_1: readonly (readonly [hex: string, record: LogRecord])[] = [
  [
    '01010000 07000000 03000000 00000000 0102ff',
    { kind: 'write', partitionId: 7, schemaVersion: 3, batch: Uint8Array.of(1, 2, 255) },
  ],
  [
    '01020000 00000000 02000000 00000000 0100000000000000 feffffffffffffff',
    { kind: 'delete', partitionId: 0, keys: [1n, -2n] },
  ],
];
const VERSION_2 =
  '02010000 07000000 03000000 00000000 efcdab8967452301 0500000000000000 0400000000000000 0000000000000000 0102ff';

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

test('records of version 1 are read; those of version 2 are these bytes', () => {
  for (const [hex, expected] of VERSION_1) expect(decodeRecord(bytesOf(hex))).toEqual(expected);
  const written = encodeRecord({
    kind: 'write',
    partitionId: 7,
    schemaVersion: 3,
    batch: Uint8Array.of(1, 2, 255),
    request: { client: '0123456789abcdef', sequence: 5, firstPending: 4 },
  });
  expect(written).toEqual(bytesOf(VERSION_2));
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
      if (each.kind === 'delete' || cut.byteLength < 48) expect(errorCode(cut)).toBe('corrupt');
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

function bytesOf(hex: string): Uint8Array {
  const pairs = hex.replaceAll(' ', '').match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

function errorCode(bytes: Uint8Array): string | undefined {
  try {
    decodeRecord(bytes);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
