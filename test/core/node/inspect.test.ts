import { afterEach, beforeEach, expect, test } from 'vitest';
import { Database } from '../../../core/client/database.ts';
import { HttpConnection } from '../../../core/client/http-connection.ts';
import type { SearchTrace } from '../../../core/elanus.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { failure } from '../../conformance/engine.ts';
import { databaseOn, realClock, type TestCluster, testCluster } from './cluster.ts';

const place = { collectionName: 'docs' };
let objects: MemoryStore;
let running: TestCluster;
let db: Database<'number'>;
/** Moves by one at each look, so that every step takes some time. */
let ticks = 0;
const clock = { ...realClock, elapsed: () => ++ticks };

beforeEach(async () => {
  objects = new MemoryStore();
  running = await testCluster({ objects, clock });
  db = databaseOn(running);
  await db.createCollection({ ...place, dimension: 4 });
});

afterEach(() => running.cluster.close());

async function insert(first: number, count: number): Promise<void> {
  const data = Array.from({ length: count }, (_, at) => ({ id: first + at, vector: [1, first + at, 0, 0], at }));
  await db.insert({ ...place, data });
}

test('inspect tells collections, channels and segments as they are, and the bytes that the store has', async () => {
  expect(await db.inspect()).toMatchObject({
    collections: [
      {
        ...{ collectionName: 'docs', collectionID: 1, loaded: true, rowCount: 0 },
        channels: [{ channel: '1-0', role: 'reader', term: 0, tailFrames: 0, tailBytes: 0, rowCount: 0 }],
      },
    ],
  });
  const before = Date.now();
  await insert(0, 10);
  await db.flush(place);
  await insert(10, 5);
  await db.delete({ ...place, ids: [0, 1, 10] });
  const { collections, memory } = await db.inspect(place);
  const [channel] = collections[0]?.channels ?? [];
  expect(channel).toMatchObject({
    role: 'owner',
    term: 1,
    checkpoint: { term: 1, index: 1 },
    tailFrames: 2,
    rowCount: 12,
  });
  expect(channel?.flushedAt).toBeGreaterThanOrEqual(before);
  expect(channel?.tailBytes).toBeGreaterThan(5 * 16);
  const [flushed, growing] = channel?.segments ?? [];
  expect(flushed).toMatchObject({ state: 'flushed', rows: 10, liveRows: 8, indexType: 'FLAT' });
  expect(growing).toMatchObject({ state: 'growing', rows: 5, liveRows: 4, bytesStored: 0 });
  let stored = 0;
  for await (const { key, size } of objects.list('collections/1/partitions/')) stored += key === '' ? 0 : size;
  expect(flushed?.bytesStored).toBe(stored);
  const inMemory = (flushed?.bytesInMemory ?? 0) + (growing?.bytesInMemory ?? 0);
  const { vectors, columns, growing: heap, deletes } = memory.kinds;
  // The channel's own table of deletes belongs to no segment.
  expect(inMemory).toBeGreaterThan(vectors + columns + heap);
  expect(inMemory).toBeLessThanOrEqual(vectors + columns + heap + deletes);
  expect(Object.values(memory.kinds).reduce((sum, bytes) => sum + bytes, 0)).toBe(memory.bytes);
});

test('inspect takes one collection or all, and refuses one that is not there', async () => {
  await db.createCollection({ collectionName: 'other', dimension: 2 });
  expect((await db.inspect()).collections.map(({ collectionName }) => collectionName)).toEqual(['docs', 'other']);
  expect((await db.inspect({ collectionName: 'other' })).collections.length).toBe(1);
  expect((await failure(db.inspect({ collectionName: 'none' }))).code).toBe('not-found');
});

test('a traced search gives the same hits, and its steps with their rows make up its time', async () => {
  await insert(0, 10);
  await db.flush(place);
  await insert(10, 5);
  await db.delete({ ...place, ids: [3] });
  await running.cluster.close();
  running = await testCluster({ objects, clock });
  db = databaseOn(running);
  const body = { ...place, data: [[1, 7, 0, 0]], filter: 'at >= 2', limit: 3, outputFields: ['at'] };
  const traces: SearchTrace[] = [];
  const hits = await db.search(body, { onTrace: (trace) => traces.push(trace) });
  expect(hits).toEqual(await db.search(body));
  expect(traces.length).toBe(1);
  const [trace] = traces as [SearchTrace];
  const [channel] = trace.channels;
  expect(channel?.segments).toMatchObject([
    { state: 'flushed', rows: 10, rowsAllowed: 7 },
    { state: 'growing', rows: 5, rowsAllowed: 3 },
  ]);
  const steps = channel?.segments.flatMap(({ loadMs, filterMs, scanMs }) => [loadMs, filterMs, scanMs]) ?? [];
  const ofChannel = [channel?.waitMs ?? 0, ...steps, channel?.mergeMs ?? 0, channel?.fetchMs ?? 0];
  for (const ms of ofChannel) expect(ms).toBeGreaterThan(0);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  expect(sum(ofChannel)).toBeLessThan(trace.channelsMs);
  expect(sum([trace.planMs, trace.channelsMs, trace.mergeMs])).toBe(trace.totalMs - 1);
});

test('over HTTP neither is there, and nothing is asked of the edge', async () => {
  const far = new Database(
    new HttpConnection({ url: 'http://127.0.0.1:9', fetch: () => Promise.reject(new TypeError('It was asked.')) }),
  );
  expect((await failure(far.inspect())).code).toBe('unsupported');
  const onTrace = (): void => undefined;
  expect((await failure(far.search({ ...place, data: [[1, 0, 0, 0]] }, { onTrace }))).code).toBe('unsupported');
});

test('a search that is not traced measures nothing', async () => {
  await insert(0, 3);
  ticks = 0;
  await db.search({ ...place, data: [[1, 0, 0, 0]] });
  expect(ticks).toBe(0);
});

test('a traced search refuses what a search refuses', async () => {
  const onTrace = (): void => undefined;
  const refused = await failure(db.search({ ...place, data: [[1, 0, 0, 0]], groupingField: 'at' }, { onTrace }));
  expect(refused.code).toBe('unsupported');
});
