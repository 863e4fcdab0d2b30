import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Key } from '../../../core/model/column.ts';
import { METRICS } from '../../../core/model/metric.ts';
import { GrowingSegment } from '../../../core/segment/growing-segment.ts';
import { Residency } from '../../../core/vector/residency.ts';
import { nodeKernel } from '../../node/kernel.ts';
import { metaOf, type Row } from '../column/batches.ts';
import { referenceDistance, referenceSearch, tolerance } from '../vector/reference.ts';
import { batchOfStep, history, readVisible, setBits, Versions } from './history.ts';

const kernel = await nodeKernel(64 * 1024 * 1024);
const residency = new Residency(kernel, 2 * kernel.bytesMax);

afterAll(() => {
  expect(kernel.bytes).toBe(0);
});

test('every view that was ever taken shows what its moment had, whatever was written and deleted later', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ table, steps }) => {
      const segment = new GrowingSegment('g', metaOf(table), residency);
      const versions = new Versions();
      const views: { timestamp: bigint; rows: number; expected: Row[] }[] = [];
      try {
        for (const [at, step] of steps.entries()) {
          const timestamp = BigInt(at + 1) << 40n;
          if (step.do === 'write') {
            versions.write(step.rows, timestamp);
            segment.append(batchOfStep(table, step.rows), timestamp);
          } else {
            for (const key of step.keys) {
              const lives = versions.all.some((version) => version.key === key && version.endedAt === undefined);
              expect(segment.markDeleted(key, timestamp)).toBe(lives);
              versions.end(key, timestamp);
            }
          }
          // Also between two records, where the view's guarantee may lie.
          for (const seen of [timestamp, timestamp + 5n]) {
            views.push({ timestamp: seen, rows: segment.length, expected: versions.visibleAt(seen) });
          }
          expect(segment.liveRows).toBe(versions.visibleAt(timestamp).length);
          for (const version of versions.all) expect(segment.mayContain(version.key)).toBe(true);
        }
        for (const { timestamp, rows, expected } of views) {
          expect(await readVisible(segment, table, timestamp, rows)).toEqual(expected);
        }
      } finally {
        segment.free();
      }
    }),
    { numRuns: 200 },
  );
});

test('a search finds the nearest visible rows that match, of those that the view has', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.nat(),
      fc.infiniteStream(fc.constantFrom(0, 1, 2)),
      async ({ table, steps }, seed, filter) => {
        const metric = METRICS[seed % METRICS.length]!;
        const segment = new GrowingSegment('g', metaOf(table, metric), residency);
        try {
          let rows = 0;
          const written: Row[] = [];
          for (const [at, step] of steps.entries()) {
            if (step.do === 'write') {
              segment.append(batchOfStep(table, step.rows), BigInt(at + 1));
              written.push(...step.rows);
            } else for (const key of step.keys) segment.markDeleted(key, BigInt(at + 1));
            if (at === seed % steps.length) rows = segment.length;
          }
          const timestamp = BigInt((seed % steps.length) + 1);
          const matches = Uint8Array.from({ length: rows }, () => filter.next().value as number);
          const allow = segment.allow(timestamp, rows, matches);
          const visible = setBits(segment.allow(timestamp, rows), rows);
          expect([...setBits(allow, rows)]).toEqual([...visible].filter((row) => matches[row] === 1));
          for (const [field, dimension] of table.dimensions) {
            const query = new Float32Array(dimension).fill(1);
            const top = segment.search(field, query, 5, allow, rows);
            const vectors = written.map((row) => row[field] as Float32Array);
            const isAllowed = (row: number): boolean => (allow[row >> 3]! & (1 << (row & 7))) !== 0;
            const expected = referenceSearch(metric, vectors.slice(0, rows), query, 5, isAllowed);
            expect(top.counts[0]).toBe(expected.length);
            // Two rows that float32 cannot tell apart may come in either order.
            for (const [hit, { row, distance }] of expected.entries()) {
              const found = top.rows[hit]!;
              expect(isAllowed(found)).toBe(true);
              const room = tolerance(metric, query, vectors[found]!) + tolerance(metric, query, vectors[row]!);
              expect(Math.abs(referenceDistance(metric, query, vectors[found]!) - distance)).toBeLessThanOrEqual(room);
            }
          }
        } finally {
          segment.free();
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('vectors that find no room leave the segment as it was', async () => {
  const small = await nodeKernel(2 * 1024 * 1024);
  const table = { shapes: [{ id: 100, type: 'Int64' as const, nullable: false }], dimensions: new Map([[200, 1024]]) };
  const segment = new GrowingSegment('g', metaOf(table), new Residency(small, 2 * small.bytesMax));
  const rows = (from: number, count: number): Row[] =>
    Array.from({ length: count }, (_, at) => ({ 100: BigInt(from + at), 200: new Float32Array(1024).fill(from + at) }));
  segment.append(batchOfStep(table, rows(0, 10)), 1n);
  expect(() => segment.append(batchOfStep(table, rows(10, 1000)), 2n)).toThrow(
    expect.objectContaining({ code: 'quota' }),
  );
  expect(segment.length).toBe(10);
  segment.append(batchOfStep(table, rows(20, 5)), 3n);
  expect((await readVisible(segment, table, 3n)).map((row) => row[100] as Key)).toEqual(
    [...rows(0, 10), ...rows(20, 5)].map((row) => row[100]),
  );
  segment.free();
  expect(small.bytes).toBe(0);
});
