import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../core/base/bytes.ts';
import { codeOf, type ElanusError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { createCertainly, replaceCertainly } from '../../../core/storage/certain.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import type { ObjectStore, StoredObject, Version } from '../../../core/storage/object-store.ts';
import { type Fault, FlakyStore } from '../../fakes/flaky-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';

function setUp() {
  const clock = new SimulatedClock({ auto: true });
  const shared = new MemoryStore();
  const flaky = new FlakyStore(shared, { clock });
  return { clock, shared, flaky };
}

const mine = encodeUtf8('mine, nonce 1');
const other = encodeUtf8('another, nonce 2');

describe.each<Fault>(['before', 'after', 'lost', 'late', 'overloaded'])('an answer that goes wrong: %s', (fault) => {
  test('a create and a replace succeed, and write once', async () => {
    const { clock, shared, flaky } = setUp();
    flaky.failAt(1, fault);
    const version = await createCertainly(flaky, 'a', mine, clock);
    expect(await shared.read('a')).toMatchObject({ version, bytes: mine });
    flaky.failAt(flaky.calls + 1, fault);
    const next = await replaceCertainly(flaky, 'a', other, version, clock);
    expect(await shared.read('a')).toMatchObject({ version: next, bytes: other });
    // Everything that is late has landed by now, and changed nothing.
    await clock.sleep(60_000);
    expect(await shared.read('a')).toMatchObject({ version: next, bytes: other });
  });

  test('a rival that was there first is a conflict', async () => {
    const { clock, shared, flaky } = setUp();
    const version = await shared.create('a', other);
    flaky.failAt(1, fault);
    const created = await createCertainly(flaky, 'a', mine, clock).catch((error: ElanusError) => error);
    expect(codeOf(created)).toBe('conflict');
    expect((created as ElanusError).details['outcome']).not.toBe('unknown');
    const theirs = await shared.replace('a', encodeUtf8('theirs, nonce 3'), version);
    flaky.failAt(flaky.calls + 1, fault);
    await expect(replaceCertainly(flaky, 'a', mine, version, clock)).rejects.toMatchObject({ code: 'conflict' });
    await clock.sleep(60_000);
    expect((await shared.read('a'))?.version).toBe(theirs);
  });
});

test('a late create that lands between the read and the next attempt is recognised', async () => {
  const { clock, shared } = setUp();
  let creates = 0;
  const racing: ObjectStore = Object.assign(Object.create(shared) as ObjectStore, {
    read: (key: string) => shared.read(key),
    create: async (key: string, bytes: Uint8Array): Promise<Version> => {
      if (++creates === 1) throw Object.assign(new Error('timeout'), { code: 'unavailable' });
      await shared.create(key, bytes);
      return shared.create(key, bytes);
    },
  });
  const version = await createCertainly(racing, 'a', mine, clock);
  expect(await shared.read('a')).toMatchObject({ version, bytes: mine });
});

test('our bytes that a rival has replaced meanwhile: the conflict says that the outcome is unknown', async () => {
  const { clock, shared, flaky } = setUp();
  const version = await shared.create('a', other);
  flaky.failAt(1, 'after');
  flaky.onCall = ({ number, operation }) => {
    if (number !== 2 || operation !== 'read') return;
    flaky.onCall = undefined;
  };
  const reading = shared.read.bind(shared);
  let reads = 0;
  shared.read = async (key, range) => {
    if (++reads === 1) {
      const ours = (await reading(key)) as StoredObject;
      expect(ours.bytes).toEqual(mine);
      await shared.replace(key, encodeUtf8('theirs, on top of ours'), ours.version);
    }
    return reading(key, range);
  };
  const failure = await replaceCertainly(flaky, 'a', mine, version, clock).catch((error: ElanusError) => error);
  expect(failure).toMatchObject({ code: 'conflict', details: { outcome: 'unknown' } });
  expect((await reading('a'))?.bytes).toEqual(encodeUtf8('theirs, on top of ours'));
});

test('a store that stays away ends in "unavailable" after a bounded number of calls', async () => {
  for (const fault of ['before', 'after'] as const) {
    const { clock, flaky } = setUp();
    for (let call = 1; call <= 1000; call++) flaky.failAt(call, fault);
    const before = clock.now();
    await expect(createCertainly(flaky, 'a', mine, clock)).rejects.toMatchObject({ code: 'unavailable' });
    expect(flaky.calls).toBeLessThanOrEqual(12);
    expect(clock.now() - before).toBeLessThanOrEqual(10_000);
  }
});

test('"overloaded" throughout is a certain no; after a lost answer it is not', async () => {
  const { clock, flaky } = setUp();
  for (let call = 1; call <= 100; call++) flaky.failAt(call, 'overloaded');
  await expect(createCertainly(flaky, 'a', mine, clock)).rejects.toMatchObject({ code: 'overloaded' });
  const second = setUp();
  for (let call = 2; call <= 100; call++) second.flaky.failAt(call, 'overloaded');
  second.flaky.failAt(1, 'before');
  const failure = createCertainly(second.flaky, 'a', mine, second.clock);
  await expect(failure).rejects.toMatchObject({ code: 'unavailable' });
});

test('only the identity is read back where it is given; a shorter rival is still a rival', async () => {
  const { clock, shared, flaky } = setUp();
  const bytes = encodeUtf8(`header nonce 77${'.'.repeat(10_000)}`);
  const identity = { start: 7, end: 15 };
  const asked: unknown[] = [];
  const read = shared.read.bind(shared);
  shared.read = (key, range) => {
    asked.push(range);
    return read(key, range);
  };
  flaky.failAt(1, 'after');
  await createCertainly(flaky, 'a', bytes, clock, { identity });
  expect(asked).toEqual([identity]);
  await shared.create('b', encodeUtf8('x'));
  flaky.failAt(flaky.calls + 1, 'before');
  await expect(createCertainly(flaky, 'b', bytes, clock, { identity })).rejects.toMatchObject({ code: 'conflict' });
  await shared.create('c', bytes.slice(0, 100));
  flaky.failAt(flaky.calls + 1, 'before');
  await expect(createCertainly(flaky, 'c', bytes, clock, { identity })).rejects.toMatchObject({ code: 'conflict' });
});

/**
 * Several writers increment one counter by read and `replaceCertainly` over a store that loses requests and answers and
 * lets requests land late. Whatever is acknowledged is counted exactly once; a write of unknown outcome at most once.
 */
test('concurrent counters over a hostile store lose no acknowledged increment and make none twice', async () => {
  const seeds = fc.integer();
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const clock = new SimulatedClock({ auto: true });
      const shared = new MemoryStore();
      const random = seededRandom(seed);
      await shared.create('counter', encodeUtf8(JSON.stringify([])));
      const acknowledged: string[] = [];
      const unknown: string[] = [];
      const writer = async (name: number) => {
        const rates = { before: 0.1, after: 0.15, lost: 0.1, late: 0.15, overloaded: 0.05 };
        const flaky = new FlakyStore(shared, { clock, random, rates, timeoutMs: 200, lateMsMax: 1000 });
        for (let round = 0; round < 6; round++) {
          const nonce = `${name}:${round}`;
          const object = await flaky.read('counter').catch(() => undefined);
          await clock.sleep(random() % 300);
          if (object === undefined) continue;
          const entries = JSON.parse(new TextDecoder().decode(object.bytes)) as string[];
          const bytes = encodeUtf8(JSON.stringify([...entries, nonce]));
          try {
            await replaceCertainly(flaky, 'counter', bytes, object.version, clock);
            acknowledged.push(nonce);
          } catch (error) {
            const { code, details } = error as ElanusError;
            expect(['conflict', 'unavailable', 'overloaded']).toContain(code);
            if (code === 'unavailable' || details['outcome'] === 'unknown') unknown.push(nonce);
          }
        }
      };
      await Promise.all([1, 2, 3].map(writer));
      await clock.sleep(100_000);
      const final = JSON.parse(new TextDecoder().decode((await shared.read('counter'))!.bytes)) as string[];
      expect(new Set(final).size).toBe(final.length);
      for (const nonce of acknowledged) expect(final).toContain(nonce);
      for (const nonce of final) expect([...acknowledged, ...unknown]).toContain(nonce);
    }),
    { numRuns: 150 },
  );
});
