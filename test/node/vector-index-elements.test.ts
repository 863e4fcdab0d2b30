import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { VectorIndex } from '../../wasm/index.ts';

const random = seededRandom(21);
const ROWS = 300;
const DIMENSION = 32;

/** 0 and 1, and the same packed: value i is bit i & 7 of byte i >> 3. */
const BITS = Array.from({ length: ROWS * DIMENSION }, () => random() & 1);
const PACKED = Uint8Array.from({ length: BITS.length / 8 }, (_, at) =>
  BITS.slice(8 * at, 8 * at + 8).reduce((byte, bit, place) => byte | (bit << place), 0),
);
const BYTES = Int8Array.from({ length: ROWS * DIMENSION }, () => random());

function rowOf<Values extends { slice(from: number, to: number): Values }>(values: Values, row: number, width: number) {
  return values.slice(row * width, (row + 1) * width);
}

describe('vectors of bits', () => {
  it.each(['HAMMING', 'JACCARD'] as const)(
    'are compared by %s, packed or one by one, saved and refined',
    async (metric) => {
      using packed = await VectorIndex.create({ type: 'FLAT', metric, dimension: DIMENSION });
      using plain = await VectorIndex.create({ type: 'FLAT', metric, dimension: DIMENSION });
      expect(packed.spec.elements).toBe('bit');
      packed.add(PACKED);
      plain.add(Array.from({ length: ROWS }, (_, row) => rowOf(BITS, row, DIMENSION)));
      expect(plain.save()).toEqual(packed.save());
      const query = rowOf(PACKED, 8, DIMENSION / 8);
      const found = packed.search(query, { limit: ROWS });
      expect(plain.search(rowOf(BITS, 8, DIMENSION), { limit: ROWS })).toEqual(found);
      expect(found.ids[0]).toBe(8);
      for (const [at, id] of found.ids.entries()) {
        const pairs = rowOf(BITS, 8, DIMENSION).map((bit, place) => [bit, rowOf(BITS, id, DIMENSION)[place]!] as const);
        const differ = pairs.filter(([a, b]) => a !== b).length;
        const either = pairs.filter(([a, b]) => a + b > 0).length;
        expect(found.distances[at]).toBeCloseTo(metric === 'HAMMING' ? differ : either && differ / either, 6);
      }
      const within = packed.searchRange(query, { radius: found.distances[9]! });
      expect(within.distances.at(-1)).toBe(found.distances[9]);
      using loaded = await VectorIndex.load(packed.save());
      const refine = (ids: Float64Array): Float32Array =>
        Float32Array.from([...ids].flatMap((id) => rowOf(BITS, id, DIMENSION)));
      expect(loaded.search(query, { limit: 5, refine })).toEqual(packed.search(query, { limit: 5 }));
    },
  );

  it('are whole bytes of nothing but 0 and 1', async () => {
    using index = await VectorIndex.create({ type: 'FLAT', metric: 'HAMMING', dimension: 16 });
    expect(() => index.add(new Uint8Array(3))).toThrow(/no row of 2 bytes/);
    expect(() => index.add([new Uint8Array(2), new Uint8Array(1)])).toThrow(/vectors\[1\] is no row/);
    expect(() => index.add(new Float32Array(16).fill(2))).toThrow(/whole numbers from 0 to 1/);
    expect(() => index.search(new Uint8Array(4), { limit: 1 })).toThrow(/query holds 2 vectors/);
    expect(index.size).toBe(0);
  });
});

describe('vectors of smaller numbers', () => {
  it.each(['L2', 'IP', 'COSINE'] as const)('int8 with %s is what f32 says of the same numbers', async (metric) => {
    using exact = await VectorIndex.create({ type: 'FLAT', metric, dimension: DIMENSION });
    using small = await VectorIndex.create({ type: 'FLAT', metric, dimension: DIMENSION, elements: 'int8' });
    exact.add(Float32Array.from(BYTES));
    small.add(BYTES);
    const query = rowOf(BYTES, 5, DIMENSION);
    const found = small.search(query, { limit: 20 });
    const expected = exact.search(Float32Array.from(query), { limit: 20 });
    expect(found.ids[0]).toBe(metric === 'IP' ? expected.ids[0] : 5);
    for (const [at, distance] of found.distances.entries()) {
      expect(distance / expected.distances[at]! || 1).toBeCloseTo(1, 5);
    }
    expect(small.bytes).toBeLessThan(exact.bytes / 2);
  });

  it.each([
    ['f16', 2 ** -10, 65_520],
    ['bf16', 2 ** -7, 3.4e38],
  ] as const)('%s keeps its digits, and refuses what it would make infinite', async (elements, precision, tooLarge) => {
    using index = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 2, elements });
    const values = Float32Array.from({ length: 200 }, () => random() / 2 ** 31 - 1);
    index.add(values);
    for (let row = 0; row < 100; row += 7) {
      const { ids, distances } = index.search(values.subarray(2 * row, 2 * row + 2), { limit: 1 });
      expect(ids[0]).toBe(row);
      expect(distances[0]).toBeLessThan(2 * precision ** 2);
    }
    expect(() => index.add(Float32Array.of(0, tooLarge))).toThrow(
      new RegExp(`value 1 of vector 0 .* finite as ${elements}`),
    );
    expect(index.size).toBe(100);
    using loaded = await VectorIndex.load(index.save());
    expect(loaded.search(values.subarray(0, 2), { limit: 5 })).toEqual(
      index.search(values.subarray(0, 2), { limit: 5 }),
    );
  });
});
