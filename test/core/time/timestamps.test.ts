import { expect, test } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { Counter } from '../../../core/storage/counter.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { timestampAt } from '../../../core/time/timestamp.ts';
import { TimestampSupply } from '../../../core/time/timestamp-supply.ts';
import { TimestampOracle } from '../../../core/time/tso.ts';

/** A clock that the test sets, backwards too. */
function settableClock(start: number): { now(): number; set(to: number): void; sleep(): Promise<void> } {
  let now = start;
  return {
    now: () => now,
    set: (to) => {
      now = to;
    },
    sleep: () => Promise.resolve(),
  };
}

test('two oracles over one store, restarts and a clock that goes back never hand out a timestamp twice', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const store = new MemoryStore();
    const clock = settableClock(1_000_000);
    const make = (): TimestampOracle => new TimestampOracle(store, clock, seededRandom(random()));
    let oracles = [make(), make()];
    const ranges: [bigint, bigint][] = [];
    const newest = [0n, 0n];
    for (let step = 0; step < 60; step++) {
      const which = random() % 2;
      if (random() % 10 === 0) oracles = oracles.map((oracle, at) => (at === which ? make() : oracle));
      clock.set(clock.now() + (random() % 5_000) - 1_500);
      const count = 1 + (random() % 70_000);
      const first = await (oracles[which] as TimestampOracle).allocate(count);
      ranges.push([first, first + BigInt(count)]);
      expect(first, `seed ${seed}`).toBeGreaterThanOrEqual(newest[which] as bigint);
      newest[which] = first;
    }
    ranges.sort(([a], [b]) => (a < b ? -1 : 1));
    for (let at = 1; at < ranges.length; at++) {
      expect(ranges[at]?.[0], `seed ${seed}`).toBeGreaterThanOrEqual(ranges[at - 1]?.[1] as bigint);
    }
  }
});

test('concurrent takers of one counter get numbers of their own, and windows save writes', async () => {
  const store = new MemoryStore();
  const clock = settableClock(0);
  const counter = new Counter(store, 'keys', { clock, random: seededRandom(1) });
  const firsts = await Promise.all(Array.from({ length: 50 }, () => counter.take(3n, 1n, 1_000n)));
  expect(new Set(firsts).size).toBe(50);
  expect(firsts.toSorted((a, b) => (a < b ? -1 : 1))[0]).toBe(1n);
  const again = new Counter(store, 'keys', { clock, random: seededRandom(2) });
  expect(await again.take(1n, 1n, 1_000n)).toBeGreaterThan(150n);
});

test('an oracle follows the clock, so that timestamps tell the time', async () => {
  const clock = settableClock(1_000_000);
  const oracle = new TimestampOracle(new MemoryStore(), clock, seededRandom(1));
  expect(await oracle.allocate(1)).toBe(timestampAt(1_000_000));
  clock.set(1_100_000);
  expect(await oracle.allocate(1)).toBe(timestampAt(1_100_000));
});

test('a supply stamps strictly upwards, above what was replayed, and nothing at or below a read', async () => {
  const clock = settableClock(5_000);
  const oracle = new TimestampOracle(new MemoryStore(), clock, seededRandom(1));
  const floor = timestampAt(5_000) + 10n;
  const supply = new TimestampSupply(
    async (count, above) => ({ first: await oracle.allocate(count, above), count }),
    clock,
    floor,
  );
  await supply.prepare(2);
  const first = supply.stamp();
  expect(first).toBeGreaterThan(floor);
  supply.skip(first + 500n);
  await supply.prepare(1);
  expect(supply.stamp()).toBe(first + 501n);
  clock.set(60_000);
  await supply.prepare(1);
  expect(supply.stamp()).toBeGreaterThanOrEqual(timestampAt(60_000));
});
