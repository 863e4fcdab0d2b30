import { afterEach, describe, expect, test } from 'vitest';
import { ElanusError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import type { Database } from '../../../core/client/database.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import type { Version } from '../../../core/storage/object-store.ts';
import { failure } from '../../conformance/engine.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

const MIB = 1024 * 1024;
const DIMENSION = 384;
const place = { collectionName: 'c' };
let running: TestCluster;
let db: Database<'number'>;

/** A store that has no room for segments while it is full. */
class FullStore extends MemoryStore {
  isFull = false;

  override create(key: string, bytes: Uint8Array): Promise<Version> {
    if (!this.isFull || !key.includes('/segments/')) return super.create(key, bytes);
    return Promise.reject(new ElanusError('quota', 'The disk is full. Delete something.'));
  }
}

async function start(options: Parameters<typeof testCluster>[0]): Promise<void> {
  running = await testCluster(options);
  db = databaseOn(running);
  await db.createCollection({ ...place, dimension: DIMENSION, metricType: 'L2' });
}

afterEach(() => running.cluster.close());

/** Rows whose vectors and texts follow from their keys. */
function rowsOf(first: number, count: number, textLength = 20): { id: number; vector: Float32Array; text: string }[] {
  return Array.from({ length: count }, (_, at) => {
    const id = first + at;
    const random = seededRandom(id);
    const vector = Float32Array.from({ length: DIMENSION }, () => (random() % 1000) / 1000);
    return { id, vector, text: String(id).padEnd(textLength, 'x') };
  });
}

async function expectFound(ids: readonly number[]): Promise<void> {
  const data = ids.map((id) => rowsOf(id, 1)[0]?.vector as Float32Array);
  const lists = await db.search({ ...place, data, limit: 1, outputFields: ['text'] });
  expect(
    lists.map(([hit]) => [hit?.['id'], hit?.distance, String(hit?.['text']).startsWith(String(hit?.['id']))]),
  ).toEqual(ids.map((id) => [id, 0, true]));
}

function expectHeld(): void {
  const { residency } = running.platform;
  const { bytes, bytesMax, bytesPeak, kinds } = residency.use();
  expect(bytesPeak).toBeLessThanOrEqual(bytesMax);
  expect(Object.values(kinds).reduce((sum, kind) => sum + kind, 0)).toBe(bytes);
}

describe('the budget', () => {
  test('holds while far more is written than it has room for, and while all of it is searched', async () => {
    await start({ memoryBytes: 16 * MIB });
    const batches = Array.from({ length: 60 }, (_, batch) => batch * 300);
    // Six at a time: each has reserved its memory before it goes into the log.
    await Promise.all(
      Array.from({ length: 6 }, async (_, lane) => {
        for (const first of batches.filter((_first, at) => at % 6 === lane)) {
          await db.insert({ ...place, data: rowsOf(first, 300) });
        }
      }),
    );
    expectHeld();
    expect(await db.count(place)).toBe(18_000);
    await expectFound([0, 299, 300, 9_000, 17_999]);
    await Promise.all([
      expectFound([1, 17_000]),
      expectFound([4_000]),
      db.count({ ...place, filter: 'text like "1%"' }),
    ]);
    expectHeld();
    const segments = (await db.inspect(place)).collections[0]?.channels[0]?.segments ?? [];
    expect(segments.reduce((sum, { bytesStored }) => sum + bytesStored, 0)).toBeGreaterThan(1.5 * 16 * MIB);
    expect(segments.reduce((sum, { bytesInMemory }) => sum + bytesInMemory, 0)).toBeLessThan(16 * MIB);
  });

  test('holds while several collections that are not in memory are searched at once', async () => {
    const objects = new MemoryStore();
    await start({ memoryBytes: 64 * MIB, objects });
    const names = ['c', 'd', 'e', 'f', 'g'];
    for (const collectionName of names) {
      await db.createCollection({ collectionName, dimension: DIMENSION, metricType: 'L2' });
      await db.insert({ collectionName, data: rowsOf(0, 2_500) });
      await db.flush({ collectionName });
    }
    await running.cluster.close();
    running = await testCluster({ memoryBytes: 16 * MIB, objects });
    db = databaseOn(running);
    const data = rowsOf(77, 1).map(({ vector }) => vector);
    const searches = [...names, ...names].map((collectionName) => db.search({ collectionName, data, limit: 1 }));
    expect((await Promise.all(searches)).map((lists) => lists[0]?.[0]?.['id'])).toEqual(searches.map(() => 77));
    expectHeld();
  });

  test('counts texts as it counts vectors: long ones fill it, and make room', async () => {
    await start({ memoryBytes: 16 * MIB });
    for (let first = 0; first < 900; first += 30) await db.insert({ ...place, data: rowsOf(first, 30, 30_000) });
    expect(await db.count({ ...place, filter: 'text like "8%"' })).toBe(111);
    await expectFound([0, 450, 899]);
    expectHeld();
  });

  test('refuses what can never fit before anything is written; reads and smaller writes go on', async () => {
    await start({ memoryBytes: 16 * MIB });
    await db.insert({ ...place, data: rowsOf(0, 100) });
    const refused = await failure(db.insert({ ...place, data: rowsOf(100, 6_000) }));
    expect(refused).toMatchObject({ code: 'quota', details: { bytesMax: 16 * MIB, outcome: 'not-written' } });
    expect(refused.message).toMatch(/fewer rows|memoryBytesMax/);
    expect(await db.count({ ...place, consistencyLevel: 'Strong' })).toBe(100);
    await db.insert({ ...place, data: rowsOf(100, 300) });
    await expectFound([0, 99, 100, 399]);
    expectHeld();
  });

  test('that cannot be flushed refuses writes and goes on reading; writes go on when there is space again', async () => {
    const objects = new FullStore();
    await start({ memoryBytes: 16 * MIB, objects });
    objects.isFull = true;
    let written = 0;
    let refused: ElanusError | undefined;
    while (refused === undefined && written < 30_000) {
      const insert = db.insert({ ...place, data: rowsOf(written, 300) });
      refused = await insert.then(
        () => undefined,
        (error: ElanusError) => error,
      );
      if (refused === undefined) written += 300;
    }
    expect(refused).toMatchObject({ code: 'quota', message: 'The disk is full. Delete something.' });
    expect(await db.count({ ...place, consistencyLevel: 'Strong' })).toBe(written);
    await expectFound([0, written - 1]);
    objects.isFull = false;
    await db.insert({ ...place, data: rowsOf(written, 300) });
    await expectFound([0, written - 1, written, written + 299]);
    expectHeld();
  });

  test('of deletes: their tables are counted, and gone with the flush', async () => {
    await start({ memoryBytes: 32 * MIB });
    await db.insert({ ...place, data: rowsOf(0, 2_000) });
    await db.flush(place);
    const { kinds: before } = running.platform.residency.use();
    await db.delete({ ...place, ids: Array.from({ length: 1_000 }, (_, id) => id) });
    const { kinds: after } = running.platform.residency.use();
    expect(before.deletes).toBe(0);
    expect(after.deletes).toBeGreaterThan(1_000 * 64);
    await db.flush(place);
    expect(running.platform.residency.use().kinds.deletes).toBeLessThan(after.deletes);
    expect(await db.count(place)).toBe(1_000);
  });
});

describe('memory is given back', () => {
  const held = (): number => running.platform.residency.bytes;

  test('by releasing a collection, dropping it, and closing', async () => {
    await start({ memoryBytes: 64 * MIB });
    const empty = held();
    await db.insert({ ...place, data: rowsOf(0, 3_000) });
    expect(held()).toBeGreaterThan(3_000 * DIMENSION * 4);
    await db.releaseCollection(place);
    expect(held()).toBeLessThanOrEqual(empty + 64 * 1024);
    await db.loadCollection(place);
    await expectFound([0, 2_999]);
    expect(held()).toBeGreaterThan(3_000 * DIMENSION * 4);
    await db.dropCollection(place);
    expect(held()).toBeLessThanOrEqual(empty);
    await start({ memoryBytes: 64 * MIB });
    await db.insert({ ...place, data: rowsOf(0, 100) });
    await running.cluster.close();
    const { vectors, growing, columns, deletes, log } = running.platform.residency.use().kinds;
    expect([vectors, growing, columns, deletes, log]).toEqual([0, 0, 0, 0, 0]);
  });

  test('by idleness, and read again when it is needed', async () => {
    const clock = new SimulatedClock();
    await start({ memoryBytes: 64 * MIB, host: { memoryIdleMs: 60_000 }, clock });
    const empty = held();
    await db.insert({ ...place, data: rowsOf(0, 2_000) });
    await db.flush(place);
    clock.jump(30_000);
    await expectFound([7]);
    clock.jump(59_000);
    await running.cluster.work();
    expect(held()).toBeGreaterThan(2_000 * DIMENSION * 4);
    // It asks for the time that is left since the last call.
    expect(running.wakes.at(-1)).toBe(clock.now() + 1_000);
    clock.jump(1_000);
    await running.cluster.work();
    expect(held()).toBeLessThanOrEqual(empty + 64 * 1024);
    await expectFound([0, 1_999]);
  });
});
