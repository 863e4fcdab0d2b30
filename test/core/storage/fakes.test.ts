import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import { PrefixStore } from '../../../core/storage/prefix-store.ts';
import { type Fault, FlakyStore } from '../../fakes/flaky-store.ts';
import { LimitedStore } from '../../fakes/limited-store.ts';
import { SimulatedClock, settle } from '../../fakes/simulated-clock.ts';

const one = new Uint8Array([1]);

test('time moves only when it is told to, and wakes sleepers in order', async () => {
  const clock = new SimulatedClock({ start: 1000 });
  const woken: string[] = [];
  const sleeper = async (name: string, ...naps: number[]) => {
    for (const nap of naps) {
      await clock.sleep(nap);
      woken.push(`${name}@${clock.now()}`);
    }
  };
  void sleeper('a', 30, 30);
  void sleeper('b', 10, 10, 10);
  void sleeper('c', 30);
  await settle();
  expect(woken).toEqual([]);
  await clock.advance(30);
  expect(woken).toEqual(['b@1010', 'b@1020', 'a@1030', 'c@1030', 'b@1030']);
  expect([clock.now(), clock.sleeping]).toEqual([1030, 1]);
  clock.setAuto(true);
  await clock.sleep(1_000_000_000);
  expect(woken.at(-1)).toBe('a@1060');
  expect(clock.now()).toBe(1_000_001_030);
});

test.each<[Fault, string | undefined, number]>([
  ['before', 'unavailable', 0],
  ['after', 'unavailable', 1],
  ['lost', 'unavailable', 1],
  ['late', 'unavailable', 0],
  ['overloaded', 'overloaded', 0],
  ['partial', 'unavailable', 0],
  ['crash-before', undefined, 0],
  ['crash-after', undefined, 1],
])('the second call goes wrong: %s', async (fault, code, objects) => {
  const clock = new SimulatedClock();
  const memory = new MemoryStore();
  const flaky = new FlakyStore(memory, { clock });
  const heard: unknown[] = [];
  flaky.onCall = (call) => heard.push(call);
  flaky.failAt(2, fault);
  await flaky.create('first', one);
  let outcome: unknown = 'none';
  flaky.create('a', one).then(
    () => (outcome = 'resolved'),
    (error) => (outcome = codeOf(error)),
  );
  await clock.advance(1000);
  expect(outcome).toBe(code ?? 'none');
  expect(await Array.fromAsync(memory.list('a'))).toHaveLength(objects);
  await clock.advance(10_000);
  expect(await Array.fromAsync(memory.list('a'))).toHaveLength(fault === 'late' ? 1 : objects);
  expect(flaky.hasCrashed).toBe(code === undefined);
  expect([flaky.calls, flaky.faults]).toEqual([2, 1]);
  expect(heard).toEqual([
    { number: 1, operation: 'create', key: 'first' },
    { number: 2, operation: 'create', key: 'a' },
  ]);
});

test('after a crash no call has an answer or an effect, not even one under way', async () => {
  const memory = new MemoryStore();
  const flaky = new FlakyStore(memory, { clock: new SimulatedClock() });
  await flaky.create('before', one);
  let answers = 0;
  const answered = () => answers++;
  const calls = () => [
    flaky.create('a', one),
    flaky.read('before'),
    flaky.delete(['before']),
    Array.fromAsync(flaky.list('')),
  ];
  void flaky.create('under way', one).finally(answered);
  flaky.crash();
  for (const call of calls()) void call.finally(answered);
  await settle();
  expect(answers).toBe(0);
  expect((await Array.fromAsync(memory.list(''))).map((info) => info.key)).toEqual(['before', 'under way']);
  flaky.crash('reject');
  for (const call of calls()) await expect(call).rejects.toMatchObject({ code: 'unavailable' });
});

test('rates come true, and the same seed goes wrong in the same way', async () => {
  const run = async () => {
    const clock = new SimulatedClock({ auto: true });
    const rates = { before: 0.1, after: 0.1, lost: 0.1, late: 0.1, overloaded: 0.1 };
    const flaky = new FlakyStore(new MemoryStore(), { clock, random: seededRandom(42), rates });
    const outcomes: string[] = [];
    for (let call = 0; call < 400; call++) {
      outcomes.push(await flaky.create(`k${call}`, one).then(() => 'done', codeOf));
    }
    return { outcomes, faults: flaky.faults };
  };
  const first = await run();
  expect(await run()).toEqual(first);
  expect(first.faults).toBeGreaterThan(150);
  expect(first.faults).toBeLessThan(250);
});

test('a partial deletion deletes half, a broken list is a part of the list', async () => {
  const memory = new MemoryStore();
  const keys = ['a', 'b', 'c', 'd'];
  for (const key of keys) await memory.create(key, one);
  const flaky = new FlakyStore(memory, { clock: new SimulatedClock() });
  flaky.failAt(1, 'partial');
  await expect(flaky.delete(keys)).rejects.toMatchObject({ code: 'unavailable' });
  expect((await Array.fromAsync(memory.list(''))).map((info) => info.key)).toEqual(['c', 'd']);
  flaky.failAt(2, 'before');
  await expect(Array.fromAsync(flaky.list(''))).rejects.toMatchObject({ code: 'unavailable' });
  flaky.failAt(3, 'after');
  await expect(Array.fromAsync(flaky.list(''))).rejects.toMatchObject({ code: 'unavailable' });
});

test('limited: one write a second a key, six requests at once, others wait in line', async () => {
  const clock = new SimulatedClock();
  const memory = new MemoryStore();
  let running = 0;
  let most = 0;
  const read = memory.read.bind(memory);
  memory.read = async (key, range) => {
    most = Math.max(most, ++running);
    await clock.sleep(10);
    running--;
    return read(key, range);
  };
  const limited = new LimitedStore(memory, { clock });
  const version = await limited.create('a', one);
  await expect(limited.replace('a', new Uint8Array([2]), version)).rejects.toMatchObject({ code: 'overloaded' });
  await limited.create('b', one);
  await clock.advance(999);
  await expect(limited.replace('a', new Uint8Array([2]), version)).rejects.toMatchObject({ code: 'overloaded' });
  await clock.advance(1);
  await limited.replace('a', new Uint8Array([2]), version);
  expect(limited.refusals).toBe(2);
  const reads = Promise.all(Array.from({ length: 20 }, () => limited.read('a')));
  await clock.advance(40);
  expect(await reads).toHaveLength(20);
  expect([most, limited.waitingMax]).toEqual([6, 14]);
});

test('metered: counts calls, bytes and failures', async () => {
  const metered = new MeteredStore(new MemoryStore());
  const version = await metered.create('a', new Uint8Array(100));
  await metered.replace('a', new Uint8Array(50), version);
  await expect(metered.create('a', one)).rejects.toThrow();
  await metered.read('a', { start: 40 });
  await metered.read('absent');
  await Array.fromAsync(metered.list(''));
  await metered.delete(['a', 'b']);
  const counts = { creates: 2, replaces: 1, reads: 2, lists: 1, listed: 1, deletes: 1, deletedKeys: 2 };
  expect(metered.reset()).toEqual({ ...counts, failures: 1, bytesRead: 10, bytesWritten: 150 });
  expect(metered.counts()).toMatchObject({ creates: 0, bytesWritten: 0 });
});

test('a full memory store rejects with "quota" and is unchanged', async () => {
  const store = new MemoryStore({ bytesMax: 100 });
  const version = await store.create('a', new Uint8Array(60));
  await expect(store.create('b', new Uint8Array(41))).rejects.toMatchObject({ code: 'quota' });
  expect(await store.read('b')).toBeUndefined();
  const larger = await store.replace('a', new Uint8Array(100), version);
  await expect(store.replace('a', new Uint8Array(101), larger)).rejects.toMatchObject({ code: 'quota' });
  expect((await store.read('a'))?.size).toBe(100);
  await store.delete(['a']);
  expect(store.bytes).toBe(0);
  await store.create('b', new Uint8Array(100));
});

test('two prefixes of one store see nothing of each other', async () => {
  const below = new MemoryStore();
  const a = new PrefixStore(below, 'a/');
  const b = new PrefixStore(below, 'b/');
  await a.create('key', one);
  expect(await b.read('key')).toBeUndefined();
  await b.create('key', new Uint8Array([2]));
  await b.delete(['key']);
  expect((await Array.fromAsync(below.list(''))).map((info) => info.key)).toEqual(['a/key']);
  await expect(a.create('x'.repeat(511), one)).rejects.toMatchObject({ code: 'invalid' });
});
