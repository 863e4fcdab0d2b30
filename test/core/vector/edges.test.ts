import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { METRICS } from '../../../core/model/metric.ts';
import { nodeKernel, WASM_BUILDS } from '../../node/kernel.ts';
import { bitmapOf, referenceSearch } from './reference.ts';

/** Whole numbers, so that float32 sums are exact. */
function integers(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => (random() % 5) - 2);
}

function rowsOf(values: Float32Array, dimension: number): Float32Array[] {
  return Array.from({ length: values.length / dimension }, (_, row) =>
    values.subarray(row * dimension, (row + 1) * dimension),
  );
}

describe.each(WASM_BUILDS)('FLAT at its edges, %s build', async (build) => {
  const kernel = await nodeKernel(undefined, build);

  // A chunk holds 1 MiB: 341 rows of 768, 8 of 32,768.
  it.each([
    { dimension: 768, sizes: [340, 341, 342, 682, 683, 1023, 1024] },
    { dimension: 32_768, sizes: [1, 3, 7, 8, 9, 16, 17] },
    { dimension: 32_767, sizes: [8, 9] },
    { dimension: 1, sizes: [262_143, 262_145] },
  ])('searches and reads across the borders of chunks, dimension $dimension', ({ dimension, sizes }) => {
    for (const size of sizes) {
      const values = integers(size, size * dimension);
      const query = integers(size + 1, dimension);
      for (const metric of ['L2', 'IP'] as const) {
        using flat = kernel.flat(dimension, metric);
        flat.append(values);
        const isAllowed = (row: number) => row % 3 !== 1 || row > size - 3;
        const found = flat.search(query, 20, { allow: bitmapOf(size, isAllowed) });
        const expected = referenceSearch(metric, rowsOf(values, dimension), query, 20, isAllowed);
        expect([...found.rows.subarray(0, found.counts[0])]).toEqual(expected.map(({ row }) => row));
        expect([...found.distances.subarray(0, found.counts[0])]).toEqual(expected.map(({ distance }) => distance));
        expect(flat.readRange(0, size)).toEqual(values);
        expect(flat.read(size - 1)).toEqual(values.slice((size - 1) * dimension));
        const some = Uint32Array.of(size - 1, 0, size >> 1);
        const wanted = [...some].map((row) => values.slice(row * dimension, (row + 1) * dimension));
        expect(rowsOf(flat.readMany(some), dimension)).toEqual(wanted);
      }
    }
  });

  it('takes little-endian bytes at any offset, as a segment holds them', () => {
    const values = integers(3, 50 * 7);
    for (let offset = 0; offset < 8; offset++) {
      const bytes = new Uint8Array(values.byteLength + 8);
      bytes.set(new Uint8Array(values.buffer), offset);
      using flat = kernel.flat(7, 'IP');
      flat.append(bytes.subarray(offset, offset + values.byteLength));
      expect(flat.readRange(0, 50)).toEqual(values);
    }
  });

  it('keeps every bit of a value that it stores', () => {
    const values = Float32Array.of(-0, 1e-45, -1e-45, 3.4028235e38, 1.1754944e-38, 0.1);
    using flat = kernel.flat(6, 'COSINE');
    flat.append(values);
    expect(Object.is(flat.read(0)[0], -0)).toBe(true);
    expect(flat.read(0)).toEqual(values);
  });

  it('gives 0 for the cosine with a zero vector, and ranks it between the others', () => {
    using flat = kernel.flat(5, 'COSINE');
    flat.append(Float32Array.of(...[-1, 0, 0, 0, 0], ...[0, 0, 0, 0, 0], ...[2, 0, 0, 0, 0], ...[0, -0, 0, 0, -0]));
    const found = flat.search(Float32Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 0), 4);
    expect([...found.rows]).toEqual([2, 1, 3, 0, 0, 1, 2, 3]);
    expect([...found.distances]).toEqual([1, 0, 0, -1, 0, 0, 0, 0]);
  });

  it('treats a vector shorter than 2^-126 as zero, and any longer one by its direction', () => {
    using flat = kernel.flat(2, 'COSINE');
    flat.append(Float32Array.of(1e-40, 1e-40, 1e-37, 1e-37, 1e37, 1e37, 1e37, -1e37));
    const found = flat.search(Float32Array.of(1e-30, 1e-30), 4);
    const byRow = new Map([...found.rows].map((row, index) => [row, found.distances[index]]));
    expect(byRow.get(0)).toBe(0);
    expect(byRow.get(1)).toBeCloseTo(1, 6);
    expect(byRow.get(2)).toBeCloseTo(1, 6);
    expect(byRow.get(3)).toBeCloseTo(0, 6);
  });

  it('breaks ties by row where a cosine is so small that it becomes -0', () => {
    using flat = kernel.flat(2, 'COSINE');
    flat.append(Float32Array.of(-1e-30, 1e37, 0, 1));
    const found = flat.search(Float32Array.of(1, 0), 2);
    expect([...found.rows]).toEqual([0, 1]);
    expect([...found.distances]).toEqual([0, 0]);
  });

  it('never leaves -1 to 1 with a cosine', () => {
    const values = integers(9, 3000 * 33).map((value) => value * 0.37 + 0.01);
    using flat = kernel.flat(33, 'COSINE');
    flat.append(values);
    for (let row = 0; row < 3000; row += 7) {
      const [query] = [values.slice(row * 33, (row + 1) * 33)];
      expect(flat.search(query, 1).distances[0]).toBeLessThanOrEqual(1);
      const opposite = flat
        .search(
          query.map((value) => -value),
          3000,
        )
        .distances.at(-1);
      expect(opposite).toBeGreaterThanOrEqual(-1);
    }
  });

  it('makes a distance that overflows infinite, and one that is no number the farthest', () => {
    const huge = 3e38;
    using products = kernel.flat(8, 'IP');
    // Lane sums +inf and -inf: their sum is no number.
    products.append(Float32Array.of(...[huge, -huge, 0, 0, 0, 0, 0, 0], ...[1, 0, 0, 0, 0, 0, 0, 0]));
    products.append(Float32Array.of(huge, 0, 0, 0, 0, 0, 0, 0));
    const query = Float32Array.of(huge, huge, 0, 0, 0, 0, 0, 0);
    const found = products.search(query, 3);
    expect([...found.rows]).toEqual([2, 1, 0]);
    expect([...found.distances]).toEqual([Infinity, Math.fround(huge), -Infinity]);
    expect([...products.search(query, 2).rows]).toEqual([2, 1]);
    using distances = kernel.flat(1, 'L2');
    distances.append(Float32Array.of(-huge, huge, 1));
    expect([...distances.search(Float32Array.of(huge), 3).distances]).toEqual([0, Infinity, Infinity]);
  });

  it.each(METRICS)('answers the same queries with the same bits together, alone, and after growing, %s', (metric) => {
    const random = seededRandom(8);
    const reals = (count: number) => Float32Array.from({ length: count }, () => random() / 2 ** 31 - 1);
    const values = reals(1500 * 50);
    const queries = reals(131 * 50);
    using flat = kernel.flat(50, metric);
    flat.append(values.subarray(0, 1000 * 50));
    const before = flat.search(queries, 7);
    flat.append(values.subarray(1000 * 50));
    expect(flat.search(queries, 7, { count: 1000 })).toEqual(before);
    for (let query = 0; query < 131; query += 10) {
      const alone = flat.search(queries.subarray(query * 50, (query + 1) * 50), 7, { count: 1000 });
      expect(alone.rows).toEqual(before.rows.slice(query * 7, (query + 1) * 7));
      expect(alone.distances).toEqual(before.distances.slice(query * 7, (query + 1) * 7));
    }
  });

  it('finds nothing where nothing is, or nothing is allowed', () => {
    using flat = kernel.flat(4, 'L2');
    expect(flat.search(new Float32Array(8), 3).counts).toEqual(Uint32Array.of(0, 0));
    flat.append(new Float32Array(4 * 100));
    expect(flat.search(new Float32Array(4), 3, { allow: new Uint8Array(13) }).counts).toEqual(Uint32Array.of(0));
    expect(flat.search(new Float32Array(0), 3).counts).toEqual(new Uint32Array(0));
    flat.append(new Float32Array(0));
    expect(flat.size).toBe(100);
  });

  it('refuses a call that breaks the contract, and any call after free', () => {
    const flat = kernel.flat(4, 'L2');
    flat.append(new Float32Array(40));
    const query = new Float32Array(4);
    const internal = expect.objectContaining({ code: 'internal' });
    expect(() => flat.append(new Float32Array(5))).toThrow(internal);
    expect(() => flat.search(new Float32Array(6), 1)).toThrow(internal);
    expect(() => flat.search(query, 0)).toThrow(internal);
    expect(() => flat.search(query, 16_385)).toThrow(internal);
    expect(() => flat.search(query, 1, { count: 11 })).toThrow(internal);
    expect(() => flat.search(query, 1, { allow: new Uint8Array(1) })).toThrow(internal);
    expect(() => flat.read(10)).toThrow(internal);
    expect(() => flat.readMany(Uint32Array.of(3, 10))).toThrow(internal);
    expect(() => kernel.flat(0, 'L2')).toThrow(internal);
    expect(() => kernel.flat(32_769, 'L2')).toThrow(internal);
    flat.free();
    const closed = expect.objectContaining({ code: 'closed', details: { reason: 'freed' } });
    expect(() => flat.search(query, 1)).toThrow(closed);
    expect(() => flat.append(query)).toThrow(closed);
    expect(() => flat.read(0)).toThrow(closed);
    expect(kernel.bytes).toBe(0);
  });
});
