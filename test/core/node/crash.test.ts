import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import type { Database } from '../../../core/client/database.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { type Fault, FlakyStore } from '../../fakes/flaky-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

type Rows = ReadonlyMap<number, number>;

/** One call of the history: what it does to the database, and to the rows that should be there after it. */
interface Step {
  readonly name: string;
  readonly run: (db: Database, running: TestCluster, clock: SimulatedClock) => Promise<unknown>;
  readonly effect: (rows: Map<number, number>) => void;
}

const place = { collectionName: 'c' };

function write(how: 'insert' | 'upsert', rows: readonly (readonly [id: number, n: number])[]): Step {
  return {
    name: `${how} ${rows.map(([id]) => id).join(',')}`,
    run: (db) => db[how]({ ...place, data: rows.map(([id, n]) => ({ id, n, vector: [n, id] })) }),
    effect: (model) => {
      for (const [id, n] of rows) model.set(id, n);
    },
  };
}

function remove(ids: readonly number[]): Step {
  return {
    name: `delete ${ids.join(',')}`,
    run: (db) => db.delete({ ...place, ids }),
    effect: (model) => {
      for (const id of ids) model.delete(id);
    },
  };
}

const flush: Step = { name: 'flush', run: (db) => db.flush(place), effect: () => undefined };

/** A grace period later: the log is truncated, garbage is collected, and what was left in the log is flushed. */
const work: Step = {
  name: 'work',
  run: (_, running, clock) => {
    clock.jump(200_000);
    return running.cluster.work();
  },
  effect: () => undefined,
};

const HISTORY: readonly Step[] = [
  {
    name: 'create',
    run: (db) => db.createCollection({ ...place, dimension: 2, metricType: 'L2' }),
    effect: () => undefined,
  },
  write('insert', [
    [1, 10],
    [2, 20],
    [3, 30],
  ]),
  remove([2]),
  flush,
  write('upsert', [
    [1, 11],
    [4, 40],
  ]),
  remove([3]),
  flush,
  write('insert', [[5, 50]]),
  work,
  work,
  remove([1, 5]),
  write('insert', [
    [2, 22],
    [3, 33],
  ]),
];

/** Runs the history against a store that fails at one call; gives what was acknowledged, and the step that was not. */
async function runUntilFailure(
  flaky: FlakyStore,
  running: TestCluster,
  clock: SimulatedClock,
): Promise<{ readonly rows: Map<number, number>; readonly failed: Step | undefined }> {
  const db = databaseOn(running);
  const rows = new Map<number, number>();
  for (const step of HISTORY) {
    const crashed = new Promise<'crashed'>((resolve) => {
      const watch = setInterval(() => {
        if (flaky.hasCrashed) {
          clearInterval(watch);
          resolve('crashed');
        }
      }, 1);
      watch.unref();
    });
    try {
      if ((await Promise.race([step.run(db, running, clock), crashed])) === 'crashed') return { rows, failed: step };
    } catch (error) {
      expect(['unavailable', 'overloaded', 'fenced'], `${step.name}: ${String(error)}`).toContain(codeOf(error));
      return { rows, failed: step };
    }
    step.effect(rows);
  }
  return { rows, failed: undefined };
}

async function stored(objects: MemoryStore, clock: SimulatedClock): Promise<Rows | undefined> {
  const running = await testCluster({ objects, clock, memoryBytes: 256 * 1024 * 1024 });
  const db = databaseOn(running);
  try {
    if (!(await db.hasCollection(place))) return undefined;
    const rows = await db.query({ ...place, filter: 'id >= 0', outputFields: ['n', 'vector'] });
    const [hits] = await db.search({ ...place, data: [[0, 0]], limit: 100 });
    expect(hits?.length, 'a search sees what a query sees').toBe(rows.length);
    for (const row of rows) expect(row['vector']).toEqual(new Float32Array([Number(row['n']), Number(row['id'])]));
    // It can be written to again.
    await db.upsert({ ...place, data: { id: 99, n: 1, vector: [1, 1] } });
    await db.flush(place);
    expect(await db.count(place)).toBe(rows.length + (rows.some((row) => row['id'] === 99) ? 0 : 1));
    return new Map(rows.map((row) => [Number(row['id']), Number(row['n'])]));
  } finally {
    await running.cluster.close();
  }
}

async function callsOfHistory(): Promise<number> {
  const clock = new SimulatedClock({ auto: true });
  const flaky = new FlakyStore(new MemoryStore(), { clock });
  const running = await testCluster({ objects: flaky, clock, memoryBytes: 256 * 1024 * 1024 });
  const { failed } = await runUntilFailure(flaky, running, clock);
  expect(failed).toBeUndefined();
  return flaky.calls;
}

const FAULTS: readonly Fault[] = [
  'before',
  'after',
  'lost',
  'late',
  'partial',
  'overloaded',
  'crash-before',
  'crash-after',
];

test.each(FAULTS)(
  '"%s" at any store call loses nothing acknowledged and leaves nothing half visible',
  async (fault) => {
    const calls = await callsOfHistory();
    expect(calls).toBeGreaterThan(45);
    for (let number = 1; number <= calls; number++) {
      const clock = new SimulatedClock({ auto: true });
      const objects = new MemoryStore();
      const flaky = new FlakyStore(objects, { clock, random: () => number * 0x9e3779b1 });
      flaky.failAt(number, fault);
      const running = await testCluster({ objects: flaky, clock, memoryBytes: 256 * 1024 * 1024 });
      const { rows, failed } = await runUntilFailure(flaky, running, clock);
      flaky.crash();
      const without = new Map(rows);
      failed?.effect(rows);
      const found = await stored(objects, clock);
      const label = `"${fault}" at call ${number}, in ${failed?.name ?? 'nothing'}`;
      if (failed?.name === 'create' && found === undefined) continue;
      const sorted = (map: Rows | undefined): unknown => [...(map ?? [])].sort(([a], [b]) => a - b);
      expect([sorted(without), sorted(rows)], label).toContainEqual(sorted(found));
    }
  },
);
