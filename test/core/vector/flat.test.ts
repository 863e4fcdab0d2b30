import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { compareDistances, METRICS, type Metric } from '../../../core/model/metric.ts';
import type { TopK, VectorKernel } from '../../../core/vector/kernel.ts';
import { nodeKernel, WASM_BUILDS } from '../../node/kernel.ts';
import { bitmapOf, referenceDistance, referenceSearch, tolerance } from './reference.ts';

const DIMENSIONS = [...Array.from({ length: 70 }, (_, index) => index + 1), 100, 128, 384, 768, 1536];

/** Small whole numbers: every sum is exact in float32, so that distances and ties are exactly those of the reference. */
function integers(random: () => number, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => (random() % 9) - 4);
}

/** Like the components of an embedding, with some zeros. */
function reals(random: () => number, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => (random() % 17 === 0 ? 0 : random() / 2 ** 31 - 1));
}

function rowsOf(values: Float32Array, dimension: number): Float32Array[] {
  return Array.from({ length: values.length / dimension }, (_, row) =>
    values.subarray(row * dimension, (row + 1) * dimension),
  );
}

/** The hits of one query. */
function hits(found: TopK, query: number): { row: number; distance: number }[] {
  const start = query * found.limit;
  return Array.from({ length: found.counts[query]! }, (_, index) => ({
    row: found.rows[start + index]!,
    distance: found.distances[start + index]!,
  }));
}

/** Rows of a random chunking: a few appends of uneven size. */
function appendInParts(append: (part: Float32Array) => void, values: Float32Array, dimension: number, parts: number[]) {
  let row = 0;
  const size = values.length / dimension;
  for (let index = 0; row < size; index++) {
    const end = Math.min(size, row + (parts[index % parts.length] ?? size));
    append(values.subarray(row * dimension, end * dimension));
    row = end;
  }
}

interface Case {
  seed: number;
  dimension: number;
  metric: Metric;
  size: number;
  queries: number;
  limit: number;
  density: number;
  /** Rows of one append after the other. */
  parts: number[];
  /** Rows of the snapshot, as a part of all. */
  snapshot: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(),
  dimension: fc.constantFrom(...DIMENSIONS),
  metric: fc.constantFrom(...METRICS),
  size: fc.integer({ min: 0, max: 400 }),
  queries: fc.constantFrom(1, 2, 3, 5, 66),
  limit: fc.constantFrom(1, 2, 3, 10, 100, 500, 16_384),
  density: fc.constantFrom(0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999, 1),
  parts: fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 1, maxLength: 4 }),
  snapshot: fc.constantFrom(0, 0.3, 0.99, 1),
});

describe.each(WASM_BUILDS)('FLAT, %s build', async (build) => {
  const kernel: VectorKernel = await nodeKernel(undefined, build);

  it('finds exactly the nearest rows, ties by row, for any dimension, size, bitmap, snapshot and number of queries', () => {
    fc.assert(
      fc.property(cases, (given) => {
        const { seed, dimension, size, limit } = given;
        // The cosine divides, which whole numbers do not make exact; its own test is below.
        const metric = given.metric === 'COSINE' ? 'IP' : given.metric;
        const random = seededRandom(seed);
        const values = integers(random, size * dimension);
        const queries = integers(random, given.queries * dimension);
        const flags = Uint8Array.from({ length: size }, () => (random() / 2 ** 32 < given.density ? 1 : 0));
        const count = Math.floor(size * given.snapshot);
        using flat = kernel.flat(dimension, metric);
        appendInParts((part) => flat.append(part), values, dimension, given.parts);
        expect(flat.size).toBe(size);
        const found = flat.search(queries, limit, { allow: bitmapOf(size, (row) => flags[row] === 1), count });
        const rows = rowsOf(values, dimension).slice(0, count);
        rowsOf(queries, dimension).forEach((query, index) => {
          expect(hits(found, index)).toEqual(referenceSearch(metric, rows, query, limit, (row) => flags[row] === 1));
        });
      }),
      { numRuns: 300 },
    );
    expect(kernel.bytes).toBe(0);
  });

  it('is as near to float64 as float32 can be, misses nothing nearer, and gives one pair of vectors one distance', () => {
    fc.assert(
      fc.property(cases, (given) => {
        const { seed, dimension, metric, size, limit } = given;
        const random = seededRandom(seed);
        const values = reals(random, size * dimension);
        // Equal rows at random places, some of them zero.
        for (let row = 7; row < size; row += 7) {
          const source = (random() % row) * dimension;
          if (random() % 4 === 0) values.fill(0, row * dimension, (row + 1) * dimension);
          else values.copyWithin(row * dimension, source, source + dimension);
        }
        const queries = reals(random, given.queries * dimension);
        if (random() % 4 === 0) queries.fill(0, 0, dimension);
        using flat = kernel.flat(dimension, metric);
        appendInParts((part) => flat.append(part), values, dimension, given.parts);
        const rows = rowsOf(values, dimension);
        const found = flat.search(queries, limit);
        rowsOf(queries, dimension).forEach((query, index) => {
          const list = hits(found, index);
          expect(list).toHaveLength(Math.min(limit, size));
          const distances = new Map<string, number>();
          list.forEach((hit, rank) => {
            const exact = referenceDistance(metric, query, rows[hit.row]!);
            expect(Math.abs(hit.distance - exact)).toBeLessThanOrEqual(tolerance(metric, query, rows[hit.row]!));
            const key = rows[hit.row]!.join();
            expect(hit.distance).toBe(distances.get(key) ?? hit.distance);
            distances.set(key, hit.distance);
            const next = list[rank + 1];
            if (next === undefined) return;
            const order = compareDistances(metric, hit.distance, next.distance);
            expect(order < 0 || (order === 0 && hit.row < next.row)).toBe(true);
          });
          const last = list.at(-1);
          const chosen = new Set(list.map((hit) => hit.row));
          if (last !== undefined) {
            rows.forEach((row, number) => {
              if (chosen.has(number)) return;
              const margin = tolerance(metric, query, row) * (metric === 'L2' ? 1 : -1);
              const best = referenceDistance(metric, query, row) + margin;
              expect(compareDistances(metric, best, last.distance)).toBeGreaterThanOrEqual(0);
            });
          }
          // Alone, the query gets the same bits as among others.
          const alone = flat.search(query, limit);
          expect(hits(alone, 0)).toEqual(list);
        });
      }),
      { numRuns: 150 },
    );
    expect(kernel.bytes).toBe(0);
  });
});
