import { describe, expect, it } from 'vitest';
import type { Metric } from '../../core/model/metric.ts';
import type { IvfType } from '../../wasm/ivf-exports.ts';
import { builtIvf, clusteredRows, IVF_TYPES, ivfSpec, nearestRows, recallOf, rowsOf, siftsmall } from './ivf-rows.ts';
import { WASM_BUILDS } from './kernel.ts';

/** Recall of the inverted files against the exact answer, and what they say about themselves. */

const LIMIT = 10;
const METRICS: readonly Metric[] = ['L2', 'IP', 'COSINE'];

describe('recall of the ten nearest', () => {
  const base = clusteredRows(4000, 48, 1);
  const queries = clusteredRows(4040, 48, 1).values.slice(4000 * 48);
  const truths = new Map(METRICS.map((metric) => [metric, truthOf(metric)]));

  function truthOf(metric: Metric): number[][] {
    return Array.from({ length: 40 }, (_, at) => nearestRows(metric, base, queries.subarray(at * 48, (at + 1) * 48)));
  }

  for (const build of WASM_BUILDS) {
    for (const type of IVF_TYPES) {
      it(`${type}, ${build}: rises to all there are with the lists that are searched`, async () => {
        for (const metric of METRICS) {
          const index = await builtIvf(ivfSpec(type, metric, 48), base, build);
          const recall = (nprobe: number): number =>
            recallOf(index.search(queries, { limit: LIMIT, nprobe }), truths.get(metric) as number[][]);
          const all = recall(65_536);
          expect(recall(32), `${metric}, 32 lists`).toBeGreaterThan(0.9);
          expect(all, `${metric}, all lists`).toBeGreaterThan(0.97);
          if (type === 'IVF_FLAT') expect(all).toBe(1);
          index.free();
        }
      });
    }
  }

  it('estimates alone find most of them, and say about how far they are', async () => {
    const least: Record<IvfType, number> = { IVF_FLAT: 1, IVF_SQ8: 0.97, IVF_PQ: 0.5, IVF_RABITQ: 0.5, SCANN: 0.6 };
    for (const type of IVF_TYPES) {
      for (const metric of METRICS) {
        const index = await builtIvf(ivfSpec(type, metric, 48, { exact: 'none' }), base);
        const result = index.search(queries, { limit: LIMIT, nprobe: 65_536 });
        expect(recallOf(result, truths.get(metric) as number[][]), `${type} ${metric}`).toBeGreaterThanOrEqual(
          least[type],
        );
        const exact = await builtIvf(ivfSpec('IVF_FLAT', metric, 48), base);
        const truth = exact.search(queries, { limit: LIMIT, nprobe: 65_536 });
        const off = result.distances.map((value, at) => Math.abs(value - (truth.distances[at] as number)));
        const scale = Math.max(...truth.distances.map(Math.abs));
        expect(Math.max(...off) / scale, `${type} ${metric}`).toBeLessThan(0.35);
        expect(index.isExact).toBe(type === 'IVF_FLAT');
      }
    }
  });
});

const sift = siftsmall();

describe.runIf(sift !== undefined)('siftsmall (left out without ELANUS_DATA)', () => {
  const { base, queries } = sift ?? { base: clusteredRows(1, 1, 1), queries: clusteredRows(1, 1, 1) };
  const { dimension } = base;

  for (const type of IVF_TYPES) {
    it(`${type}: at least 0.92 with 16 of 400 lists, 0.97 with 32`, async () => {
      const some = queries.values.subarray(0, 50 * dimension);
      const truth = Array.from({ length: 50 }, (_, at) =>
        nearestRows('L2', base, some.subarray(at * dimension, (at + 1) * dimension)),
      );
      const index = await builtIvf(ivfSpec(type, 'L2', dimension), base);
      const recall = (nprobe: number): number => recallOf(index.search(some, { limit: LIMIT, nprobe }), truth);
      expect(recall(16)).toBeGreaterThan(0.92);
      expect(recall(32)).toBeGreaterThan(0.97);
      const nearest = rowsOf(index.search(some.subarray(0, dimension), { limit: 1, nprobe: 64 }));
      expect(nearest[0]).toBe(truth[0]?.[0]);
    });
  }
});
