import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { decodeBatch, encodeBatch } from '../../../core/column/codec.ts';
import { batches, rowsOf } from './batches.ts';

const oneBatch = batches({ minLength: 1, maxLength: 1 }).map(({ batches }) => batches[0]!);

/** The same bytes at another place of a larger buffer. */
function shifted(bytes: Uint8Array, by: number): Uint8Array {
  const buffer = new Uint8Array(bytes.byteLength + by);
  buffer.set(bytes, by);
  return buffer.subarray(by);
}

test('a batch comes out of its bytes as it went in, wherever the bytes lie', () => {
  fc.assert(
    fc.property(oneBatch, fc.integer({ min: 0, max: 17 }), (batch, by) => {
      const decoded = decodeBatch(shifted(encodeBatch(batch), by));
      expect(rowsOf(decoded)).toEqual(rowsOf(batch));
      expect([...decoded.scalars].map(([id, { type, length }]) => [id, type, length])).toEqual(
        [...batch.scalars].map(([id, { type, length }]) => [id, type, length]),
      );
    }),
    { numRuns: 500 },
  );
});

test('the spare room of a column that grows is not written', () => {
  fc.assert(
    fc.property(oneBatch, (batch) => {
      const short = Math.floor(batch.length / 2);
      const cut = {
        length: short,
        scalars: new Map([...batch.scalars].map(([id, column]) => [id, { ...column, length: short }])),
        vectors: new Map([...batch.vectors].map(([id, column]) => [id, { ...column, length: short }])),
      };
      expect(rowsOf(decodeBatch(encodeBatch(cut)))).toEqual(rowsOf(batch).slice(0, short));
    }),
  );
});

test('values of an aligned batch are views of its bytes', () => {
  const values = BigInt64Array.from([1n, -(2n ** 63n), 2n ** 63n - 1n]);
  const batch = {
    length: 3,
    scalars: new Map([[100, { type: 'Int64' as const, length: 3, values }]]),
    vectors: new Map([[101, { dimension: 2, length: 3, values: Float32Array.from([1, 2, 3, 4, 5, 6]) }]]),
  };
  const bytes = encodeBatch(batch);
  const decoded = decodeBatch(bytes);
  expect(decoded.scalars.get(100)?.values).toEqual(values);
  expect((decoded.scalars.get(100)!.values as BigInt64Array).buffer).toBe(bytes.buffer);
  expect(decoded.vectors.get(101)?.values.buffer).toBe(bytes.buffer);
  expect(decoded.vectors.get(101)!.values.byteOffset % 16).toBe(0);
});

test('bytes that are cut off anywhere, or go on, are corrupt', () => {
  fc.assert(
    fc.property(oneBatch, fc.nat(), (batch, seed) => {
      const bytes = encodeBatch(batch);
      const end = seed % bytes.byteLength;
      expect(errorCode(() => decodeBatch(bytes.subarray(0, end)))).toBe('corrupt');
      expect(errorCode(() => decodeBatch(shifted(bytes, 16 + (seed % 16)).subarray(0)))).toBeUndefined();
      const longer = new Uint8Array(bytes.byteLength + 1 + (seed % 20));
      longer.set(bytes);
      expect(errorCode(() => decodeBatch(longer))).toBe('corrupt');
    }),
    { numRuns: 300 },
  );
});

/** Numbers that a length, an offset or a count could be made of to do harm. */
const hostile = fc.constantFrom(0, 1, 7, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 0x1000_0000);

test('hostile bytes are corrupt or a batch, never a crash and never more memory than the bytes call for', () => {
  fc.assert(
    fc.property(oneBatch, fc.array(fc.tuple(fc.nat(), hostile), { minLength: 1, maxLength: 3 }), (batch, changes) => {
      const bytes = encodeBatch(batch);
      const view = new DataView(bytes.buffer);
      // Half of the changes hit the header and the directory, where the lengths are.
      const room = (at: number): number => (at % 2 === 0 ? Math.min(64, bytes.byteLength) : bytes.byteLength) / 4;
      for (const [at, value] of changes) view.setUint32(4 * ((at >> 1) % room(at)), value, true);
      let length = 0;
      const code = errorCode(() => {
        length = decodeBatch(bytes).length;
      });
      expect([undefined, 'corrupt']).toContain(code);
      expect(length).toBeLessThanOrEqual(bytes.byteLength);
    }),
    { numRuns: 2000 },
  );
});

/** A batch of one column that nobody encoded: its codes and its body are what the test wants them to be. */
function crafted(column: { rows: number; type: number; element: number; body: Uint8Array }): Uint8Array {
  const bytes = new Uint8Array(32 + column.body.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(encodeBatch({ length: 0, scalars: new Map(), vectors: new Map() }));
  view.setUint32(8, column.rows, true);
  view.setUint32(12, 1, true);
  view.setUint8(16 + 4, column.type);
  view.setUint8(16 + 5, column.element);
  view.setUint32(16 + 12, column.body.byteLength, true);
  bytes.set(column.body, 32);
  return bytes;
}

const VARCHAR = 8;
const ARRAY = 10;

test('arrays of arrays are corrupt, however deep the bytes say that they go', () => {
  const body = new Uint8Array(1024 * 1024);
  expect(errorCode(() => decodeBatch(crafted({ rows: 0, type: ARRAY, element: ARRAY, body })))).toBe('corrupt');
});

test('a negative number of elements is corrupt', () => {
  const body = new Uint8Array(Int32Array.of(0, -1, 0, 0).buffer);
  expect(errorCode(() => decodeBatch(crafted({ rows: 1, type: ARRAY, element: VARCHAR, body })))).toBe('corrupt');
});

test('rows without columns are corrupt: no byte would stand for them', () => {
  const bytes = encodeBatch({ length: 0, scalars: new Map(), vectors: new Map() });
  expect(decodeBatch(bytes).length).toBe(0);
  new DataView(bytes.buffer).setUint32(8, 0xffff_ffff, true);
  expect(errorCode(() => decodeBatch(bytes))).toBe('corrupt');
});

function errorCode(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
