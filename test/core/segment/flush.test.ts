import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Key } from '../../../core/model/column.ts';
import { encodeDelta } from '../../../core/segment/delta.ts';
import { GrowingSegment } from '../../../core/segment/growing-segment.ts';
import { SealedSegment, type SegmentHost } from '../../../core/segment/sealed-segment.ts';
import { type SegmentInfo, segmentPrefix } from '../../../core/segment/segment-info.ts';
import { writeSegment } from '../../../core/segment/segment-writer.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import type { Timestamp } from '../../../core/time/timestamp.ts';
import { Residency } from '../../../core/vector/residency.ts';
import { nodeKernel } from '../../node/kernel.ts';
import { metaOf, type Row, type Table } from '../column/batches.ts';
import { batchOfStep, feed, history, readVisible, setBits, Versions } from './history.ts';

const kernel = await nodeKernel(64 * 1024 * 1024);

afterAll(() => {
  expect(kernel.bytes).toBe(0);
});

function hostOn(objects = new MemoryStore()): SegmentHost & { readonly objects: MemoryStore } {
  return { objects, residency: new Residency(kernel, 8 * kernel.bytesMax) };
}

const nothing = (): void => undefined;

async function createAll(host: SegmentHost, objects: readonly { key: string; bytes: Uint8Array }[]): Promise<void> {
  for (const { key, bytes } of objects) await host.objects.create(key, bytes);
}

/** What a flush up to `timestamp` makes of a growing segment. */
function written(segment: GrowingSegment, timestamp: Timestamp): ReturnType<typeof writeSegment> {
  const place = { id: 'ab.7-0', partitionId: 3, completeTo: { term: 1, index: 9 } };
  return writeSegment(segment, { ...place, meta: segment.meta, timestamp });
}

test('flushed and read back, or handed over in memory, a segment answers as it did while it grew', async () => {
  await fc.assert(
    fc.asyncProperty(history, history, async (before, later) => {
      const { table } = before;
      const host = hostOn();
      const growing = new GrowingSegment('g', metaOf(table), host.residency);
      const versions = new Versions();
      feed(growing, versions, before);
      const checkpoint = BigInt(before.steps.length);
      const flush = written(growing, checkpoint);
      const lasting = versions.visibleAt(checkpoint);
      if (flush === undefined) {
        expect(lasting).toEqual([]);
        growing.free();
        return;
      }
      await createAll(host, flush.objects);
      // Deletes go on while the objects are written, and after they are.
      const deletes = new Map<Key, Timestamp>();
      const keys = later.steps.flatMap((step) =>
        step.do === 'delete' ? step.keys : step.rows.map((row) => row[100] as Key),
      );
      const fitting = keys.filter((key) => typeof key === typeof lasting[0]![100]);
      for (const [at, key] of fitting.entries()) {
        const timestamp = checkpoint + BigInt(at) + 1n;
        if (!deletes.has(key)) deletes.set(key, timestamp);
        growing.markDeleted(key, timestamp);
        versions.end(key, timestamp);
      }
      const adopted = SealedSegment.adopt(host, flush.info, { segment: growing, rows: flush.rows }, nothing);
      const info = await withDelta(host, metaOf(table).id, flush.info, deletes);
      const reopened = new SealedSegment(host, metaOf(table), info, nothing);
      const replayed = new SealedSegment(host, metaOf(table), flush.info, (segment) => {
        for (const [key, timestamp] of deletes) segment.markDeleted(key, timestamp);
      });
      for (const segment of [adopted, reopened, replayed]) {
        for (let at = 0; at <= fitting.length; at++) {
          const timestamp = checkpoint + BigInt(at);
          expect(await readVisible(segment, table, timestamp)).toEqual(versions.visibleAt(timestamp));
        }
        expect(segment.liveRows).toBe(versions.visibleAt(checkpoint + BigInt(fitting.length)).length);
        await sameSearch(segment, table, lasting);
        segment.free();
      }
      expect(kernel.bytes).toBe(0);
    }),
    { numRuns: 150 },
  );
});

/** Adds a delta as a flush does, in one object or, to have several, in two. */
async function withDelta(
  host: SegmentHost,
  collectionId: number,
  info: SegmentInfo,
  deletes: ReadonlyMap<Key, Timestamp>,
): Promise<SegmentInfo> {
  const half = Math.ceil(deletes.size / 2);
  const parts = [[...deletes].slice(0, half), [...deletes].slice(half)].filter((part) => part.length > 0);
  const deltas = parts.map((part, at) => {
    const bytes = encodeDelta(new Map(part));
    return { name: `delta.${at}`, bytes, deletes: part.length };
  });
  await createAll(
    host,
    deltas.map(({ name, bytes }) => ({ key: segmentPrefix(collectionId, info) + name, bytes })),
  );
  return {
    ...info,
    deltas: deltas.map(({ name, bytes, deletes: count }) => ({ name, bytes: bytes.byteLength, deletes: count })),
  };
}

async function sameSearch(segment: SealedSegment, table: Table, rows: readonly Row[]): Promise<void> {
  for (const [field, dimension] of table.dimensions) {
    await segment.visit([field], () => undefined);
    const flat = kernel.flat(dimension, 'L2');
    for (const row of rows) flat.append(row[field] as Float32Array);
    const query = new Float32Array(dimension).fill(2);
    const allow = segment.allow(0n, rows.length);
    expect(segment.search(field, query, 4, allow, rows.length)).toEqual(flat.search(query, 4));
    flat.free();
  }
}

const LARGE: Table = {
  shapes: [
    { id: 100, type: 'Int64', nullable: false },
    { id: 101, type: 'VarChar', nullable: false },
    { id: 102, type: 'Double', nullable: true },
  ],
  dimensions: new Map([[200, 512]]),
};

function largeRows(count: number, textBytes: number): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    100: BigInt(at * 7919) % 100_003n,
    101: String(at).padEnd(textBytes, 'x'),
    102: at % 3 === 0 ? null : at / 7,
    200: new Float32Array(512).fill(at),
  }));
}

test('what passes a file is split into parts, and reads as one; deletes find their rows in all of them', async () => {
  const host = hostOn();
  const rows = largeRows(12_000, 3_000);
  const growing = new GrowingSegment('g', metaOf(LARGE), host.residency);
  growing.append(batchOfStep(LARGE, rows), 5n);
  const flush = written(growing, 5n)!;
  expect(flush.objects.map(({ key }) => key.slice(key.lastIndexOf('/') + 1))).toEqual([
    'columns.0',
    'columns.1',
    'columns.2',
    'columns.3',
    'vectors.200.0',
    'vectors.200.1',
  ]);
  for (const { bytes } of flush.objects) expect(bytes.byteLength).toBeLessThan(17 * 1024 * 1024);
  await createAll(host, flush.objects);
  growing.free();
  const segment = new SealedSegment(host, metaOf(LARGE), flush.info, nothing);
  await segment.visit([100, 101, 102, 200], () => undefined);
  expect(segment.markDeleted(rows[11_999]![100] as Key, 6n)).toBe(true);
  expect(segment.markDeleted(1n << 60n, 6n)).toBe(false);
  const visible = setBits(segment.allow(6n, 12_000), 12_000);
  expect(visible.length).toBe(11_999);
  const some = Uint32Array.of(11_998, 0, 6_000, 5_999);
  const batch = segment.gather(some, [101, 102, 200]);
  expect(batch.scalars.get(101)!.values).toEqual([...some].map((row) => rows[row]![101]));
  expect(batch.vectors.get(200)!.values[512]).toBe(0);
  segment.free();
});

test.each([
  // Small files are read whole, by each load anew; the keys come with the first.
  { rows: 10, first: 1, second: 1 },
  // Of a larger file the directory is read once, and each section once.
  { rows: 2_000, first: 3, second: 1 },
])('few requests read a segment of $rows rows', async ({ rows, first, second }) => {
  const objects = new MeteredStore(new MemoryStore());
  const host = { objects, residency: new Residency(kernel, 8 * kernel.bytesMax) };
  const growing = new GrowingSegment('g', metaOf(LARGE), host.residency);
  growing.append(batchOfStep(LARGE, largeRows(rows, 300)), 5n);
  const flush = written(growing, 5n)!;
  await createAll(host, flush.objects);
  growing.free();
  const segment = new SealedSegment(host, metaOf(LARGE), flush.info, nothing);
  const reads = async (...loads: number[][]): Promise<number> => {
    objects.reset();
    await Promise.all(loads.map((fields) => segment.visit(fields, () => undefined)));
    return objects.reset().reads;
  };
  expect(await reads([101], [101])).toBe(first);
  expect(await reads([101, 100])).toBe(0);
  expect(await reads([102])).toBe(second);
  expect(await reads([200], [200])).toBe(1);
  segment.free();
});

test('vectors make room for others and come back when they are needed', async () => {
  const small = await nodeKernel(5 * 1024 * 1024);
  const host = { objects: new MemoryStore(), residency: new Residency(small, 64 * 1024 * 1024) };
  const segments: SealedSegment[] = [];
  for (const id of ['a', 'b', 'c']) {
    const growing = new GrowingSegment(id, metaOf(LARGE), host.residency);
    growing.append(batchOfStep(LARGE, largeRows(1_000, 1)), 5n);
    const flush = writeSegment(growing, {
      id,
      meta: metaOf(LARGE),
      partitionId: 0,
      timestamp: 5n,
      completeTo: { term: 1, index: 1 },
    })!;
    await createAll(host, flush.objects);
    segments.push(SealedSegment.adopt(host, flush.info, { segment: growing, rows: flush.rows }, nothing));
  }
  for (const segment of [...segments, ...segments]) {
    await segment.visit([200], () => undefined);
    const top = segment.search(200, new Float32Array(512).fill(17), 1, segment.allow(5n, 1_000), 1_000);
    expect(top.rows[0]).toBe(17);
  }
  expect(segments.filter((segment) => segment.bytes > 0).length).toBeLessThan(3);
  for (const segment of segments) segment.free();
  expect(small.bytes).toBe(0);
});

test('columns make room for others too; no row that ended comes back, whenever its delete came', async () => {
  const small = await nodeKernel(4 * 1024 * 1024);
  const host = { objects: new MemoryStore(), residency: new Residency(small, 2.5 * 1024 * 1024) };
  const table: Table = { ...LARGE, dimensions: new Map([[200, 2]]) };
  const rows = largeRows(1_000, 400).map((row): Row => ({ ...row, 200: Float32Array.of(1, 2) }));
  const later = new Map<Key, Timestamp>();
  const replay = (segment: SealedSegment): void => {
    for (const [key, timestamp] of later) segment.markDeleted(key, timestamp);
  };
  const segments: SealedSegment[] = [];
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    const growing = new GrowingSegment(id, metaOf(table), host.residency);
    growing.append(batchOfStep(table, rows), 5n);
    const place = { id, meta: metaOf(table), partitionId: 0, timestamp: 5n, completeTo: { term: 1, index: 1 } };
    const flush = writeSegment(growing, place)!;
    await createAll(host, flush.objects);
    segments.push(SealedSegment.adopt(host, flush.info, { segment: growing, rows: flush.rows }, replay));
  }
  // What was adopted here was never reserved, as a channel's is.
  host.residency.evictAll();
  const keyOf = (row: number): Key => rows[row]![100] as Key;
  let ended = 0;
  for (let round = 0; round < 3; round++) {
    for (const segment of segments) {
      const visible = await readVisible(segment, table, 100n);
      expect(visible.map((row) => row[100])).toEqual(rows.slice(ended).map((row) => row[100]));
      expect(host.residency.bytes).toBeLessThanOrEqual(host.residency.bytesMax);
    }
    expect(segments.filter((segment) => segment.hasKeys).length).toBeLessThan(segments.length);
    // As a channel does: what is in memory is told at once, the rest when its keys are back.
    later.set(keyOf(ended), 6n);
    for (const segment of segments) if (segment.hasKeys) segment.markDeleted(keyOf(ended), 6n);
    ended += 1;
  }
  for (const segment of segments) segment.free();
  expect(host.residency.use().kinds.columns).toBe(0);
  expect(small.bytes).toBe(0);
});

test('a segment that was let go says so to those who still wait for it', async () => {
  const host = hostOn();
  const growing = new GrowingSegment('g', metaOf(LARGE), host.residency);
  growing.append(batchOfStep(LARGE, largeRows(10, 1)), 5n);
  const flush = written(growing, 5n)!;
  await createAll(host, flush.objects);
  growing.free();
  const segment = new SealedSegment(host, metaOf(LARGE), flush.info, nothing);
  const waiting = segment.visit([101, 200], () => undefined);
  segment.free();
  const freed = expect.objectContaining({ code: 'closed', details: { reason: 'freed' } });
  await expect(waiting).rejects.toEqual(freed);
  await expect(segment.visit([101], () => undefined)).rejects.toEqual(freed);
  expect(kernel.bytes).toBe(0);
});

test('an object that is gone means that the manifest is old', async () => {
  const host = hostOn();
  const growing = new GrowingSegment('g', metaOf(LARGE), host.residency);
  growing.append(batchOfStep(LARGE, largeRows(10, 1)), 5n);
  const flush = written(growing, 5n)!;
  growing.free();
  const segment = new SealedSegment(host, metaOf(LARGE), flush.info, nothing);
  const missing = expect.objectContaining({
    code: 'stale',
    details: expect.objectContaining({ reason: 'missing-object' }),
  });
  await expect(segment.visit([100], () => undefined)).rejects.toEqual(missing);
  await createAll(host, flush.objects);
  await segment.visit([100, 200], () => undefined);
  expect(segment.length).toBe(10);
  segment.free();
});
