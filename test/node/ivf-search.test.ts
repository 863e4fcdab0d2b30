import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { compareDistances, type Metric } from '../../core/model/metric.ts';
import { WasmIvf } from '../../wasm/ivf.ts';
import { referenceDistance, tolerance } from '../core/vector/reference.ts';
import {
  buildAll,
  builtIvf,
  clusteredRows,
  IVF_TYPES,
  ivfSpec,
  kernelMemory,
  nearestRows,
  recallOf,
  rowsOf,
} from './ivf-rows.ts';

/** Filters, removals, cursors and the budget. */

const DIMENSION = 32;
const COUNT = 4000;
const ROWS = clusteredRows(COUNT, DIMENSION, 11);
const QUERIES = clusteredRows(COUNT + 20, DIMENSION, 11).values.slice(COUNT * DIMENSION);
const EVERYTHING = 65_536;

const rowOf = (row: number): Float32Array => ROWS.values.subarray(row * DIMENSION, (row + 1) * DIMENSION);
const queryOf = (at: number): Float32Array => QUERIES.subarray(at * DIMENSION, (at + 1) * DIMENSION);

function bitmapOf(isAllowed: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array(COUNT / 8);
  for (let row = 0; row < COUNT; row++)
    if (isAllowed(row)) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  return bits;
}

describe('a filter', () => {
  /** Rows near the first query, or far from it. */
  const order = nearestRows('L2', ROWS, queryOf(0));
  const place = new Uint32Array(COUNT);
  order.forEach((row, at) => {
    place[row] = at;
  });
  const random = seededRandom(2);
  const draws = Float64Array.from({ length: COUNT }, () => random() / 2 ** 32);

  for (const type of IVF_TYPES) {
    it(`${type}: all k come, no other row does, and recall holds`, async () => {
      const index = await builtIvf(ivfSpec(type, 'L2', DIMENSION), ROWS);
      for (const share of [0.5, 0.3, 0.1, 0.01, 0.001]) {
        for (const [kind, isAllowed] of [
          ['random', (row: number) => (draws[row] as number) < share],
          ['near', (row: number) => (place[row] as number) < share * COUNT],
          ['far', (row: number) => (place[row] as number) >= (1 - share) * COUNT],
        ] as const) {
          const truth = Array.from({ length: 20 }, (_, at) =>
            nearestRows('L2', ROWS, queryOf(at), isAllowed).slice(0, 10),
          );
          const result = index.search(QUERIES, { limit: 10, nprobe: 24, allow: bitmapOf(isAllowed) });
          const name = `${type} ${share} ${kind}`;
          truth.forEach((nearest, at) => {
            expect(rowsOf(result, at).length, name).toBe(nearest.length);
            expect(rowsOf(result, at).every(isAllowed), name).toBe(true);
          });
          expect(recallOf(result, truth), name).toBeGreaterThan(0.9);
        }
      }
    });
  }
});

describe('removed rows', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: are never found again, pending or not, and give their place back`, async () => {
      const memory = await kernelMemory();
      const index = new WasmIvf(memory, ivfSpec(type, 'L2', DIMENSION, { exact: 'none' }));
      index.append(ROWS.values);
      const gone = new Set<number>();
      const remove = (rows: number[]): void => {
        for (const row of rows) gone.add(row);
        index.remove(Uint32Array.from([...rows, ...rows]));
        expect(index.removed).toBe(gone.size);
        const result = index.search(QUERIES, { limit: 50, nprobe: EVERYTHING });
        expect(result.rows.some((row, at) => at % 50 < (result.counts[(at / 50) | 0] as number) && gone.has(row))).toBe(
          false,
        );
        expect(result.counts.every((count) => count === Math.min(50, COUNT - gone.size))).toBe(true);
      };
      remove([5, 6, 7]);
      buildAll(index);
      const full = index.bytes;
      remove(Array.from({ length: COUNT / 2 }, (_, at) => 2 * at));
      expect(index.bytes - full, 'a bitmap at most').toBeLessThan(COUNT / 4);
      index.build(1);
      expect(index.bytes, 'half the rows, half the lists; codebooks stay').toBeLessThan(0.8 * full);
      remove(Array.from({ length: COUNT - 30 }, (_, at) => at));
      remove(Array.from({ length: COUNT }, (_, at) => at));
      index.free();
      expect([index.bytes, memory.bytesUsed]).toEqual([0, 0]);
    });

    it(`${type}: half of all rows replaced, recall stays`, async () => {
      const index = await builtIvf(ivfSpec(type, 'L2', DIMENSION), ROWS);
      const truth = Array.from({ length: 20 }, (_, at) => nearestRows('L2', ROWS, queryOf(at)).slice(0, 10));
      const before = recallOf(index.search(QUERIES, { limit: 10, nprobe: 24 }), truth);
      // The even rows go, and come again as new ones.
      for (let row = 0; row < COUNT; row += 2) {
        index.append(rowOf(row));
        index.remove(Uint32Array.of(row));
        if (row % 500 === 0) buildAll(index);
      }
      buildAll(index);
      const moved = truth.map((rows) => rows.map((row) => (row % 2 === 0 ? COUNT + row / 2 : row)));
      const after = recallOf(index.search(QUERIES, { limit: 10, nprobe: 24 }), moved);
      expect(after).toBeGreaterThanOrEqual(before - 0.01);
    });
  }
});

describe('a cursor', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: brings every row once, each batch in order, and what search finds first`, async () => {
      for (const exact of ['memory', 'none'] as const) {
        for (const metric of ['L2', 'IP', 'COSINE'] as const) {
          const memory = await kernelMemory();
          const index = new WasmIvf(memory, ivfSpec(type, metric, DIMENSION, { exact }));
          index.append(ROWS.values.subarray(0, 3000 * DIMENSION));
          buildAll(index);
          index.append(ROWS.values.subarray(3000 * DIMENSION));
          index.remove(Uint32Array.of(17));
          const isAllowed = (row: number): boolean => row % 3 !== 0 && row !== 17;
          const allow = bitmapOf((row) => row % 3 !== 0);
          const cursor = index.cursor(queryOf(1), { limit: 10, allow });
          const seen: number[] = [];
          for (let batch = cursor.next(70); batch.counts[0] !== 0; batch = cursor.next(70)) {
            const count = batch.counts[0] as number;
            for (let at = 1; at < count; at++) {
              expect(
                compareDistances(metric, batch.distances[at - 1] as number, batch.distances[at] as number),
              ).toBeLessThan(1);
            }
            if (seen.length === 0) {
              const found = index.search(queryOf(1), { limit: 70, allow, refineK: 700 });
              const same = rowsOf(found).filter((row) => rowsOf(batch).includes(row)).length;
              expect(same, `${metric} ${exact}`).toBeGreaterThan(60);
            }
            seen.push(...rowsOf(batch));
          }
          expect(seen.length).toBe(new Set(seen).size);
          expect(seen.sort((a, b) => a - b)).toEqual([...Array(COUNT).keys()].filter(isAllowed));
          cursor.free();
          cursor.free();
          index.free();
          expect(memory.bytesUsed).toBe(0);
        }
      }
    });
  }

  it('ends when the index changes', async () => {
    const index = await builtIvf(ivfSpec('SCANN', 'L2', DIMENSION), ROWS);
    const before = index.bytes;
    const cursor = index.cursor(queryOf(0), { limit: 5 });
    expect(cursor.next(5).counts[0]).toBe(5);
    index.append(rowOf(0));
    expect(codeOfThrown(() => cursor.next(5))).toBe('closed');
    buildAll(index);
    const another = index.cursor(queryOf(0), { limit: 5 });
    index.free();
    expect(codeOfThrown(() => another.next(5))).toBe('closed');
    expect(before).toBeGreaterThan(0);
  });
});

describe('distances', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: are the metric's own, and exact where vectors are in memory`, async () => {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        const index = await builtIvf(ivfSpec(type, metric, DIMENSION), ROWS);
        expect(index.isExact).toBe(true);
        expectExact(index, metric);
        const candidates = index.candidates(QUERIES, { limit: 10, refineK: 90, nprobe: EVERYTHING });
        expect(candidates.limit).toBe(type === 'IVF_FLAT' ? 90 : 90);
        const truth = Array.from({ length: 20 }, (_, at) => nearestRows(metric, ROWS, queryOf(at)).slice(0, 10));
        const found = truth.map((rows, at) => rows.filter((row) => rowsOf(candidates, at).includes(row)).length);
        expect(found.reduce((sum, some) => sum + some, 0) / 200).toBeGreaterThan(0.95);
      }
    });
  }

  function expectExact(index: WasmIvf, metric: Metric): void {
    const result = index.search(QUERIES, { limit: 10, nprobe: 30 });
    for (let at = 0; at < 200; at++) {
      const query = queryOf(Math.floor(at / 10));
      const row = rowOf(result.rows[at] as number);
      const off = Math.abs((result.distances[at] as number) - referenceDistance(metric, query, row));
      expect(off).toBeLessThanOrEqual(2 * tolerance(metric, query, row));
    }
  }
});

function codeOfThrown(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}
