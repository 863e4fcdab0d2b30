import { beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../core/client/database.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { failure } from '../../conformance/engine.ts';
import { GateStore } from '../../fakes/gate-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

/*
 * The rules of the channel's protocol, each as the interleaving that breaks it: two processes over one store that do
 * not know of each other, and a gate that holds one call while the other process goes on.
 */

const place = { collectionName: 'c' };
const strong = { ...place, consistencyLevel: 'Strong' };

interface Process {
  readonly store: GateStore;
  readonly running: TestCluster;
  readonly db: Database;
}

let objects: MemoryStore;
let clock: SimulatedClock;
let a: Process;
let b: Process;

async function start(): Promise<Process> {
  const store = new GateStore(objects);
  const running = await testCluster({ objects: store, clock, memoryBytes: 256 * 1024 * 1024 });
  return { store, running, db: databaseOn(running) };
}

async function insert(db: Database, ...ids: number[]): Promise<void> {
  await db.insert({ ...place, data: ids.map((id) => ({ id, n: id * 10, vector: [id, 1] })) });
}

async function ids(db: Database, level = 'Strong'): Promise<unknown[]> {
  const rows = await db.query({
    ...place,
    filter: 'id >= 0',
    outputFields: ['id'],
    consistencyLevel: level,
    limit: 10_000,
  });
  return rows.map((row) => row['id']);
}

/** Everything that is due a good while later: truncation, garbage. */
async function later({ running }: Process): Promise<void> {
  clock.jump(200_000);
  await running.cluster.work();
  clock.jump(200_000);
  await running.cluster.work();
}

beforeEach(async () => {
  objects = new MemoryStore();
  clock = new SimulatedClock({ auto: true });
  a = await start();
  b = await start();
  await a.db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
});

describe('the channel, schedule by schedule', () => {
  test('R1: a reader whose log is flushed and truncated under its eyes begins again', async () => {
    await insert(a.db, 1, 2);
    await insert(a.db, 3);
    // The frames, not the root that lies beside them: the reader has seen an untruncated root.
    const gate = b.store.hold('read', 'wal/1-0/0');
    const reading = ids(b.db);
    await gate.reached;
    await a.db.flush(place);
    await later(a);
    gate.open();
    expect(await reading).toEqual([1, 2, 3]);
  });

  test('R2: a reader that knew the log before it was truncated reads no gap', async () => {
    await insert(a.db, 1);
    expect(await ids(b.db)).toEqual([1]);
    await insert(a.db, 2);
    await a.db.flush(place);
    await insert(a.db, 3);
    await a.db.flush(place);
    await later(a);
    await insert(a.db, 4);
    expect(await ids(b.db)).toEqual([1, 2, 3, 4]);
  });

  test('R3: a new owner stamps above what the old one stamped while it was being fenced', async () => {
    await insert(a.db, 1);
    const gate = b.store.hold('replace', '/root');
    const deleting = b.db.delete({ ...place, ids: [1, 2] });
    await gate.reached;
    // The old owner takes a newer range than any that the new one could have had before, and acknowledges with it.
    clock.jump(20_000);
    const late = insert(a.db, 2).then(
      () => 'acknowledged',
      () => 'refused',
    );
    await late;
    gate.open();
    await deleting;
    expect(await ids(b.db)).toEqual([]);
  });

  test('R4: an answer is of one moment, though rows are deleted and flushed while it is computed', async () => {
    await insert(a.db, 1, 2);
    await a.db.flush(place);
    await insert(a.db, 3);
    await a.running.cluster.close();
    const reader = await start();
    const gate = reader.store.hold('read', '/columns.');
    const reading = ids(reader.db);
    await gate.reached;
    const owner = await start();
    await owner.db.delete({ ...place, ids: [1, 3] });
    await insert(owner.db, 4);
    await owner.db.flush(place);
    await later(owner);
    gate.open();
    // Before or after the other process's two writes, or between them; never a mixture.
    expect([[1, 2, 3], [2], [2, 4]]).toContainEqual(await reading);
  });

  test('R4: a delete after the view was taken hides nothing from it, also in the same process', async () => {
    await insert(a.db, 1, 2);
    await a.db.flush(place);
    await insert(b.db, 5);
    const gate = b.store.hold('read', '/columns.');
    const reading = ids(b.db, 'Bounded');
    await gate.reached;
    await insert(b.db, 6);
    await b.db.delete({ ...place, ids: [1] });
    gate.open();
    expect([
      [1, 2, 5],
      [1, 2, 5, 6],
      [2, 5, 6],
    ]).toContainEqual(await reading);
    expect(await ids(b.db)).toEqual([2, 5, 6]);
  });

  test('R5, R6: flushes of a channel come one after another', async () => {
    await insert(a.db, 1);
    const gate = a.store.hold('create', '/segments/');
    const first = a.db.flush(place);
    await gate.reached;
    await insert(a.db, 2);
    await a.db.delete({ ...place, ids: [1] });
    const second = a.db.flush(place);
    await insert(a.db, 3);
    gate.open();
    await Promise.all([first, second]);
    expect(await ids(a.db)).toEqual([2, 3]);
    await a.running.cluster.close();
    expect(await ids(b.db)).toEqual([2, 3]);
  });

  test('R6: a crash between two flushes loses neither', async () => {
    await insert(a.db, 1);
    const gate = a.store.hold('replace', '/manifest');
    void a.db.flush(place).catch(() => undefined);
    await gate.reached;
    await insert(a.db, 2);
    // The first process never goes on.
    expect(await ids(b.db)).toEqual([1, 2]);
    await b.db.flush(place);
    expect(await ids(b.db)).toEqual([1, 2]);
    gate.open();
    await later(b);
    expect(await ids((await start()).db)).toEqual([1, 2]);
  });

  test('R7: an owner that is replaced while it collects deletes nothing that the new one is writing', async () => {
    await insert(a.db, 1);
    await a.db.flush(place);
    clock.jump(200_000);
    const listing = a.store.hold('list', 'partitions/');
    const collecting = a.running.cluster.work();
    await listing.reached;
    await insert(b.db, 2);
    const committing = b.store.hold('replace', '/manifest');
    const flushing = b.db.flush(place);
    await committing.reached;
    // The new owner's objects are there, old by their id, and no manifest names them yet.
    clock.jump(600_000);
    listing.open();
    await collecting;
    committing.open();
    await flushing;
    expect(await ids((await start()).db)).toEqual([1, 2]);
  });

  test('R7: what a flush is writing while garbage is listed is not garbage, however old its id is', async () => {
    await insert(a.db, 1);
    await a.db.flush(place);
    clock.jump(200_000);
    const listing = a.store.hold('list', 'partitions/');
    const collecting = a.running.cluster.work();
    await listing.reached;
    await insert(a.db, 2);
    const committing = a.store.hold('replace', '/manifest');
    const flushing = a.db.flush(place);
    await committing.reached;
    clock.jump(600_000);
    listing.open();
    await collecting;
    committing.open();
    await flushing;
    expect(await ids((await start()).db)).toEqual([1, 2]);
  });

  test('R9: a fenced owner acknowledges nothing, says that nothing was written, and a retry goes through', async () => {
    await insert(a.db, 1);
    await insert(b.db, 2);
    const error = await failure(insert(a.db, 3));
    expect([error.code, error.details['outcome']]).toEqual(['unavailable', 'not-written']);
    expect(await ids(b.db)).toEqual([1, 2]);
    await insert(a.db, 3);
    expect(await ids(a.db)).toEqual([1, 2, 3]);
  });

  test('a Strong answer of an owner that was replaced shows what the new one acknowledged', async () => {
    await insert(a.db, 1);
    await insert(b.db, 2);
    expect(await ids(a.db)).toEqual([1, 2]);
    expect(await a.db.count(strong)).toBe(2);
  });

  test('the loser of a manifest deletes nothing, and nothing of the winner is lost', async () => {
    await insert(a.db, 1);
    const gate = a.store.hold('replace', '/manifest');
    const flushing = failure(a.db.flush(place));
    await gate.reached;
    await insert(b.db, 2);
    gate.open();
    expect((await flushing).code).toBe('unavailable');
    await later(a);
    await later(b);
    expect(await ids(b.db)).toEqual([1, 2]);
    expect(await ids((await start()).db)).toEqual([1, 2]);
  });

  test('state from before a claim counts only if the claimed manifest is the one that was read', async () => {
    await insert(a.db, 1);
    expect(await ids(b.db)).toEqual([1]);
    await a.db.delete({ ...place, ids: [1] });
    await insert(a.db, 2);
    await a.db.flush(place);
    // The log still has every frame; what the manifest names must not be replayed beside it.
    await insert(b.db, 3);
    await b.db.flush(place);
    for (const { db } of [b, await start()]) {
      expect(await ids(db)).toEqual([2, 3]);
      const [hits] = await db.search({ ...place, data: [[0, 0]], limit: 10 });
      expect(hits?.map((hit) => hit['id'])).toEqual([2, 3]);
    }
  });

  test('an unflushed tail is bounded: a loop of awaited single inserts flushes on its way, and loses nothing', async () => {
    for (let id = 1; id <= 1_000; id++) await insert(a.db, id);
    const { tailFrames } = await a.running.cluster
      .streamingNode('1-0')
      .statistics({ channel: '1-0', collectionId: 1, schemaVersion: 1 });
    expect(tailFrames).toBeLessThanOrEqual(512);
    expect((await ids((await start()).db)).length).toBe(1_000);
  });

  test('an answer that would not fit between two roles is refused with advice', async () => {
    const text = 'x'.repeat(60_000);
    for (let id = 0; id < 450; id += 50) {
      const data = Array.from({ length: 50 }, (_, row) => ({ id: id + row, text, vector: [1, 1] }));
      await a.db.insert({ ...place, data });
    }
    const all = { ...place, filter: 'id >= 0', outputFields: ['text'] };
    const error = await failure(a.db.query({ ...all, limit: 450 }));
    expect([error.code, error.milvusCode]).toEqual(['invalid', 1102]);
    expect((await a.db.query({ ...all, limit: 100 })).length).toBe(100);
  });

  test('a collection that was dropped answers nobody, and its objects go after a grace period', async () => {
    await insert(a.db, 1);
    await a.db.flush(place);
    expect(await ids(b.db)).toEqual([1]);
    await a.db.dropCollection(place);
    clock.jump(10_000);
    expect((await failure(b.db.count(strong))).milvusCode).toBe(100);
    await later(a);
    const left: string[] = [];
    for await (const { key } of objects.list('')) left.push(key);
    expect(left).toEqual(['catalog', 'tso']);
  });
});
