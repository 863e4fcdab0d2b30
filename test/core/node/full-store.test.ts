import { describe, expect, test } from 'vitest';
import type { ElanusError } from '../../../core/base/error.ts';
import type { Database } from '../../../core/client/database.ts';
import { writePurpose } from '../../../core/node/write-purpose.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { ReserveStore } from '../../../core/storage/reserve-store.ts';
import { FullStore } from '../../fakes/full-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

const place = { collectionName: 'c' };
const RESERVE_BYTES = 64 * 1024;
const MEMORY_BYTES = 16 * 1024 * 1024;

type Rows = Map<number, number>;

interface Setting {
  readonly full: FullStore;
  readonly clock: SimulatedClock;
  readonly running: TestCluster;
  readonly db: Database;
}

async function start(memory: MemoryStore = new MemoryStore(), reserve = RESERVE_BYTES): Promise<Setting> {
  const clock = new SimulatedClock({ auto: true });
  const full = new FullStore(memory);
  const objects = reserve === 0 ? full : new ReserveStore(full, { purposeOf: writePurpose, bytes: reserve });
  const running = await testCluster({ objects, clock, memoryBytes: MEMORY_BYTES });
  return { full, clock, running, db: databaseOn(running) };
}

function vector(id: number): Float32Array {
  return new Float32Array(64).fill(id);
}

interface Step {
  readonly isWrite: boolean;
  readonly run: (db: Database) => Promise<unknown>;
  readonly effect: (rows: Rows) => void;
}

/** Twelve requests: upserts of three rows, a delete, flushes; each knows its effect. */
const STEPS: readonly Step[] = Array.from({ length: 12 }, (_, step): Step => {
  if (step % 4 === 3) return { isWrite: false, run: (db) => db.flush(place), effect: () => undefined };
  const ids = Array.from({ length: 3 }, (_, row) => step * 10 + row);
  if (step === 6) {
    const effect = (rows: Rows): void => {
      for (const id of [0, 10]) rows.delete(id);
    };
    return { isWrite: true, run: (db) => db.delete({ ...place, ids: [0, 10] }), effect };
  }
  return {
    isWrite: true,
    run: (db) => db.upsert({ ...place, data: ids.map((id) => ({ id, n: step, vector: vector(id) })) }),
    effect: (rows) => {
      for (const id of ids) rows.set(id, step);
    },
  };
});

async function expectRows(db: Database, rows: Rows, label: string): Promise<void> {
  const found = await db.query({ ...place, filter: 'id >= 0', outputFields: ['n'], consistencyLevel: 'Strong' });
  expect(new Map(found.map((row) => [Number(row['id']), Number(row['n'])])), label).toEqual(rows);
  const [hits] = await db.search({ ...place, data: [vector(1)], limit: 100 });
  expect(hits?.length, label).toBe(rows.size);
}

/** Takes a step; if the store is full, it must say so, and of a write that nothing of it was written. */
async function tryStep(db: Database, step: Step, rows: Rows, label: string): Promise<boolean> {
  try {
    await step.run(db);
  } catch (error) {
    const { code, details } = error as ElanusError;
    expect(code, `${label}: ${String(error)}`).toBe('quota');
    if (step.isWrite) expect(details['outcome'], label).toBe('not-written');
    return false;
  }
  step.effect(rows);
  return true;
}

async function bytesOfHistory(): Promise<number> {
  const setting = await start();
  await setting.db.createCollection({ ...place, dimension: 64 });
  for (const step of STEPS) await step.run(setting.db);
  await setting.running.cluster.close();
  return setting.full.bytes;
}

describe('a store that fills up', () => {
  test.each([RESERVE_BYTES, 0])(
    'refuses writes with "quota" at whatever byte, goes on reading, and works when there is room (reserve of %i bytes)',
    async (reserve) => {
      const total = (await bytesOfHistory()) - RESERVE_BYTES + reserve;
      const least = reserve + 2_000;
      let refused = 0;
      for (let bytesMax = least; bytesMax <= total; bytesMax += Math.ceil((total - least) / 24)) {
        const memory = new MemoryStore();
        const setting = await start(memory, reserve);
        await setting.db.createCollection({ ...place, dimension: 64 });
        setting.full.bytesMax = bytesMax;
        const rows: Rows = new Map();
        for (const [index, step] of STEPS.entries()) {
          const label = `step ${index} with ${bytesMax} bytes`;
          if (!(await tryStep(setting.db, step, rows, label))) refused += 1;
          await expectRows(setting.db, rows, label);
          setting.clock.jump(70_000);
          await setting.running.cluster.work().catch(() => undefined);
        }
        setting.full.bytesMax = Number.POSITIVE_INFINITY;
        for (const step of STEPS) expect(await tryStep(setting.db, step, rows, 'with room again')).toBe(true);
        await expectRows(setting.db, rows, 'with room again');
        await setting.running.cluster.close();
        const again = await start(memory, reserve);
        await expectRows(again.db, rows, 'opened again');
        await again.running.cluster.close();
      }
      expect(refused).toBeGreaterThan(40);
    },
    120_000,
  );

  test('a collection can be dropped, and its room is there at once for another', async () => {
    const setting = await start();
    const { db, full } = setting;
    for (const collectionName of ['keep', 'drop']) {
      await db.createCollection({ collectionName, dimension: 64 });
      for (let request = 0; request < 20; request++) {
        const data = Array.from({ length: 20 }, (_, row) => ({ id: request * 20 + row, vector: vector(row) }));
        await db.insert({ collectionName, data });
      }
      await db.flush({ collectionName });
    }
    full.bytesMax = full.bytes;
    const insert = (rows: number): Promise<unknown> =>
      db.insert({
        collectionName: 'keep',
        data: Array.from({ length: rows }, (_, id) => ({ id, vector: vector(id) })),
      });
    await expect(insert(1)).rejects.toMatchObject({ code: 'quota', details: { outcome: 'not-written' } });
    for (let attempt = 0; attempt < 200; attempt++) await expect(insert(1)).rejects.toMatchObject({ code: 'quota' });
    await db.dropCollection({ collectionName: 'drop' });
    expect(await db.listCollections()).toEqual(['keep']);
    await insert(100);
    expect(await db.count({ collectionName: 'keep' })).toBe(400);
    await setting.running.cluster.close();
  });

  test('no number of refused writes takes up room, and one that is refused costs no new term', async () => {
    const { db, full, running } = await start();
    await db.createCollection({ ...place, dimension: 64 });
    await db.insert({ ...place, data: { id: 1, vector: vector(1) } });
    full.bytesMax = full.bytes;
    for (let attempt = 0; attempt < 50; attempt++) {
      const writes = Array.from({ length: 5 }, (_, id) => db.insert({ ...place, data: { id, vector: vector(id) } }));
      for (const outcome of await Promise.allSettled(writes)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'quota' } });
      }
    }
    const keys = (await Array.fromAsync(full.list('wal/'))).map(({ key }) => key);
    expect(keys.length).toBe(2);
    full.bytesMax = Number.POSITIVE_INFINITY;
    await db.insert({ ...place, data: { id: 2, vector: vector(2) } });
    expect(await db.count(place)).toBe(2);
    expect((await Array.fromAsync(full.list('wal/'))).length).toBe(3);
    await running.cluster.close();
  });

  test('a flush that does not fit leaves nothing behind', async () => {
    const { db, full, running } = await start();
    await db.createCollection({ ...place, dimension: 64 });
    const data = Array.from({ length: 100 }, (_, id) => ({ id, vector: vector(id) }));
    await db.insert({ ...place, data });
    full.bytesMax = full.bytes + 20_000;
    const before = (await Array.fromAsync(full.list('collections/'))).map(({ key }) => key);
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(db.flush(place)).rejects.toMatchObject({ code: 'quota' });
    expect((await Array.fromAsync(full.list('collections/'))).map(({ key }) => key)).toEqual(before);
    full.bytesMax = Number.POSITIVE_INFINITY;
    await db.flush(place);
    expect(await db.count(place)).toBe(100);
    await running.cluster.close();
  });
});
