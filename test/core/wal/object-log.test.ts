import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../core/base/bytes.ts';
import { codeOf, ElanusError, toPlainError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import type { ObjectStore, Version } from '../../../core/storage/object-store.ts';
import { type Log, POSITION_START } from '../../../core/wal/log.ts';
import { collectLogGarbage, objectLogStore } from '../../../core/wal/object-log.ts';
import { FlakyStore } from '../../fakes/flaky-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';

const clock = new SimulatedClock({ auto: true });
const random = seededRandom(11);
const host = { clock, random };

function logsOn(store: ObjectStore) {
  return objectLogStore(store, host);
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  return (await Array.fromAsync(store.list(''))).map(({ key }) => key);
}

async function appendAll(log: Log, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await log.append(encodeUtf8(`entry ${at}`));
}

async function rejection(promise: Promise<unknown>): Promise<ReturnType<typeof toPlainError>> {
  return promise.then(
    () => expect.unreachable('it resolves'),
    (error: unknown) => toPlainError(error),
  );
}

/** A store whose creates of keys that end in `slot` are refused with `code`. */
function refusing(store: ObjectStore, slot: string, code: ElanusError['code']): ObjectStore {
  return {
    create: (key, bytes): Promise<Version> =>
      key.endsWith(slot) ? Promise.reject(new ElanusError(code, 'Injected.')) : store.create(key, bytes),
    replace: (key, bytes, expected) => store.replace(key, bytes, expected),
    read: (key, range) => store.read(key, range),
    list: (prefix, after) => store.list(prefix, after),
    delete: (keys) => store.delete(keys),
  };
}

describe('objects of a log', () => {
  test('lie under names of one width, in the order of their positions', async () => {
    const store = new MemoryStore();
    for (const term of [9, 10, 4_000]) await appendAll(await logsOn(store).open('shop/0', term), 17);
    const keys = await keysOf(store);
    expect(keys[0]).toBe('wal/shop/0/00000000000009/00000000000000');
    expect(keys.at(-1)).toBe('wal/shop/0/root');
    // 17 entries of each term, the fences of the first two, and the root.
    expect(keys.length).toBe(3 * 17 + 2 + 1);
  });

  test('are deleted by truncation, except fences and the newest frame', async () => {
    const store = new MemoryStore();
    const logs = logsOn(store);
    await appendAll(await logs.open('c', 1), 5);
    const log = await logs.open('c', 2);
    await appendAll(log, 3);
    await log.truncate({ term: 2, index: 99 });
    expect(await keysOf(store)).toEqual([
      'wal/c/00000000000001/00000000000005',
      'wal/c/00000000000002/00000000000002',
      'wal/c/root',
    ]);
  });

  test('that a crash has left below the truncation point are garbage; others, and fences, are not', async () => {
    const store = new MemoryStore();
    const flaky = new FlakyStore(store, { clock });
    await appendAll(await logsOn(store).open('c', 1), 5);
    const log = await logsOn(flaky).open('c', 2);
    await appendAll(log, 3);
    flaky.onCall = ({ operation }) => {
      if (operation === 'delete') flaky.crash();
    };
    void log.truncate({ term: 2, index: 1 });
    for (let turn = 0; turn < 1_000; turn++) await undefined;
    expect(flaky.hasCrashed).toBe(true);
    expect(await collectLogGarbage(store, 'c', host)).toBe(6);
    expect(await collectLogGarbage(store, 'c', host)).toBe(0);
    const keys = await keysOf(store);
    expect(keys.map((key) => key.slice(-1))).toEqual(['5', '1', '2', 't']);
  });

  test('of a channel whose name begins another are not its garbage', async () => {
    const store = new MemoryStore();
    const other = await logsOn(store).open('a/00000000000001', 1);
    await appendAll(other, 2);
    const log = await logsOn(store).open('a', 5);
    await appendAll(log, 2);
    await log.truncate({ term: 5, index: 1 });
    await collectLogGarbage(store, 'a', host);
    expect((await Array.fromAsync(other.read(POSITION_START))).length).toBe(2);
  });
});

describe('damage', () => {
  test.each([
    ['a frame that is missing', 'c/00000000000001/00000000000001', undefined],
    ['a frame that is cut off', 'c/00000000000001/00000000000001', (bytes: Uint8Array) => bytes.slice(0, -1)],
    ['a frame of another slot', 'c/00000000000001/00000000000001', (bytes: Uint8Array) => bytes.with(24, 0)],
    ['a root that is no root', 'c/root', (bytes: Uint8Array) => bytes.with(30, 0)],
  ])('%s is an error that names its key', async (_, end, damage) => {
    const store = new MemoryStore();
    await appendAll(await logsOn(store).open('c', 1), 3);
    const last = await logsOn(store).open('c', 2);
    const key = `wal/${end}`;
    const { bytes } = (await store.read(key))!;
    await store.delete([key]);
    if (damage !== undefined) await store.create(key, damage(bytes));
    const found = await rejection(Array.fromAsync(logsOn(store).reader('c').read(POSITION_START)));
    expect(found).toMatchObject({ code: 'corrupt', details: { key } });
    expect(await rejection(Array.fromAsync(last.read(POSITION_START)))).toMatchObject({ code: 'corrupt' });
  });
});

describe('trouble', () => {
  test('an owner that appends as fast as it can is fenced all the same', async () => {
    const store = new MemoryStore();
    const instant = { now: () => 0, sleep: () => Promise.resolve() };
    const logs = objectLogStore(store, { clock: instant, random });
    const old = await logs.open('c', 1);
    let acknowledged = 0;
    const writers = Array.from({ length: 8 }, async () => {
      while (acknowledged < 20_000) {
        await old.append(new Uint8Array([1]));
        acknowledged++;
      }
    });
    const ends = Promise.allSettled(writers);
    const young = await logs.open('c', 2);
    for (const end of await ends) expect(end.status === 'rejected' && codeOf(end.reason)).toBe('fenced');
    expect((await Array.fromAsync(young.read(POSITION_START))).length).toBeGreaterThanOrEqual(acknowledged);
    await young.append(new Uint8Array([2]));
    // The fence that stands ahead of the slots that were filled is none of the log's business.
    expect((await Array.fromAsync((await logs.open('c', 3)).read({ term: 2, index: 0 }))).length).toBe(1);
  });

  test('a full store refuses for certain; if a later frame fitted in, the log goes on with another term', async () => {
    const store = new MemoryStore();
    const log = await logsOn(refusing(store, '2', 'quota')).open('c', 1);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, at) => log.append(new Uint8Array([at])).catch(toPlainError)),
    );
    expect(outcomes.slice(0, 2)).toEqual([
      { term: 1, index: 0 },
      { term: 1, index: 1 },
    ]);
    for (const outcome of outcomes.slice(2)) expect(outcome).toMatchObject({ details: { outcome: 'not-written' } });
    expect(outcomes[2]).toMatchObject({ code: 'unavailable' });
    expect(await rejection(log.append(new Uint8Array([9])))).toMatchObject({ details: { outcome: 'not-written' } });
    const next = await logsOn(store).open('c', 2);
    expect((await Array.fromAsync(next.read(POSITION_START))).map(({ bytes }) => bytes[0])).toEqual([0, 1]);
  });

  test('a log whose store is full now and then keeps all that it acknowledged, in order, and nothing else', async () => {
    let goneOn = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const store = new MemoryStore();
      let isFull = false;
      const filling: ObjectStore = {
        create: async (key, bytes) => {
          for (let turns = random() % 4; turns > 0; turns--) await undefined;
          if (random() % 8 === 0) isFull = !isFull;
          if (isFull) throw new ElanusError('quota', 'full');
          return store.create(key, bytes);
        },
        replace: (key, bytes, expected) => store.replace(key, bytes, expected),
        read: (key, range) => store.read(key, range),
        list: (prefix, after) => store.list(prefix, after),
        delete: (keys) => store.delete(keys),
      };
      const log = await logsOn(filling)
        .open('c', 1)
        .catch(() => undefined);
      if (log === undefined) continue;
      const acknowledged: number[] = [];
      let wasRefused = false;
      for (let wave = 0; wave < 12; wave++) {
        await Promise.all(
          Array.from({ length: 1 + (random() % 5) }, async (_, at) => {
            const byte = wave * 5 + at;
            const outcome = await log.append(new Uint8Array([byte])).catch(toPlainError);
            if ('index' in outcome) {
              acknowledged.push(byte);
              if (wasRefused) goneOn += 1;
            } else {
              expect(outcome, `seed ${seed}`).toMatchObject({ details: { outcome: 'not-written' } });
              wasRefused = true;
            }
          }),
        );
      }
      const read = (await Array.fromAsync(log.read(POSITION_START))).map(({ bytes }) => bytes[0]);
      expect(read, `seed ${seed}`).toEqual(acknowledged);
      const next = await logsOn(store).open('c', 2);
      const replayed = (await Array.fromAsync(next.read(POSITION_START))).map(({ bytes }) => bytes[0]);
      expect(replayed, `seed ${seed}`).toEqual(acknowledged);
    }
    expect(goneOn).toBeGreaterThan(300);
  });

  test.each(['unavailable', 'overloaded'] as const)('a store that is %s for long ends the term', async (code) => {
    const store = new MemoryStore();
    const log = await logsOn(refusing(store, '2', code)).open('c', 1);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => log.append(new Uint8Array([at])).catch(toPlainError)),
    );
    const sent = code === 'unavailable' ? 'unknown' : 'not-written';
    for (const outcome of outcomes.slice(2, 6)) {
      expect(outcome).toMatchObject({ code: 'unavailable', details: { outcome: sent } });
    }
    for (const outcome of outcomes.slice(6)) {
      expect(outcome).toMatchObject({ code: 'closed', details: { outcome: 'not-written' } });
    }
    expect(await rejection(log.append(new Uint8Array([9])))).toMatchObject({ code: 'closed' });
    const next = await logsOn(store).open('c', 2);
    expect((await Array.fromAsync(next.read(POSITION_START))).map(({ bytes }) => bytes[0])).toEqual([0, 1]);
  });

  test('two owners with one term end, and nothing of the second is acknowledged', async () => {
    const store = new MemoryStore();
    const one = await logsOn(store).open('c', 1);
    // What must not happen: the same term twice. Here the root is forged.
    const { version } = (await store.read('wal/c/root'))!;
    expect(version).toBeDefined();
    await store.delete(['wal/c/root']);
    const other = await logsOn(store).open('c', 1);
    await one.append(new Uint8Array([1]));
    expect(await rejection(other.append(new Uint8Array([2])))).toMatchObject({ code: 'internal' });
  });

  test('so many appends wait, and no more', async () => {
    const hanging = new FlakyStore(new MemoryStore(), { clock });
    const log = await logsOn(hanging).open('c', 1);
    hanging.crash('hang');
    for (let at = 0; at < 1_028; at++) void log.append(new Uint8Array([1]));
    expect(await rejection(log.append(new Uint8Array([1])))).toMatchObject({
      code: 'overloaded',
      details: { outcome: 'not-written' },
    });
  });
});

describe('requests', () => {
  test('an append is one; an opening and an empty read are few', async () => {
    const store = new MemoryStore();
    const metered = new MeteredStore(store);
    const log = await logsOn(metered).open('c', 1);
    metered.reset();
    await appendAll(log, 100);
    expect(metered.reset()).toMatchObject({ creates: 100, reads: 0, replaces: 0, lists: 0, deletes: 0 });
    const next = await logsOn(metered).open('c', 2);
    const opening = metered.reset();
    expect(opening).toMatchObject({ creates: 1, replaces: 1, lists: 0 });
    // The root; about twice the logarithm of the tail's length, and four to look back.
    expect(opening.reads).toBeLessThanOrEqual(1 + 2 * 7 + 4);
    expect(await Array.fromAsync(logsOn(metered).reader('c').read({ term: 1, index: 100 }))).toEqual([]);
    // The root, the slot in which the next entry would be, and the root again.
    expect(metered.reset()).toMatchObject({ reads: 3, lists: 0 });
    await next.close();
  });
});
