import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { CacheStore } from '../../../core/storage/cache-store.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import type { Version } from '../../../core/storage/object-store.ts';
import { someBytes } from '../../conformance/object-store.ts';
import { LatencyStore } from '../../fakes/latency-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';

async function setUp(bytesMax: number) {
  const memory = new MemoryStore();
  const metered = new MeteredStore(memory);
  const cache = new CacheStore(metered, { bytesMax, blockBytes: 100, cached: (key) => key.startsWith('s/') });
  return { memory, metered, cache };
}

test('what was read is not asked for again; only missing blocks are', async () => {
  const { metered, cache } = await setUp(100_000);
  const bytes = someBytes(1050, 1);
  await cache.create('s/a', bytes);
  metered.reset();
  expect((await cache.read('s/a', { start: 150, end: 151 }))?.bytes).toEqual(bytes.slice(150, 151));
  expect(metered.reset()).toMatchObject({ reads: 1, bytesRead: 100 });
  expect((await cache.read('s/a', { start: 110, end: 199 }))?.bytes).toEqual(bytes.slice(110, 199));
  expect(metered.reset()).toMatchObject({ reads: 0 });
  expect((await cache.read('s/a', { start: 50, end: 420 }))?.bytes).toEqual(bytes.slice(50, 420));
  expect(metered.reset().reads).toBe(1);
  expect((await cache.read('s/a'))?.bytes).toEqual(bytes);
  expect(metered.reset()).toMatchObject({ reads: 1, bytesRead: 550 });
  expect((await cache.read('s/a'))?.bytes).toEqual(bytes);
  expect((await cache.read('s/a', { start: 1049 }))?.bytes).toEqual(bytes.slice(1049));
  await expect(cache.read('s/a', { start: 1050 })).rejects.toMatchObject({ code: 'invalid' });
  expect(metered.reset().reads).toBe(0);
});

test('other keys go straight through', async () => {
  const { metered, cache } = await setUp(100_000);
  await cache.create('manifest', someBytes(10, 2));
  for (let round = 0; round < 3; round++) await cache.read('manifest');
  expect(metered.counts().reads).toBe(3);
  expect(cache.counts().bytes).toBe(0);
});

test('the budget holds, and the blocks used last stay', async () => {
  const { metered, cache } = await setUp(5_000);
  for (let index = 0; index < 30; index++) {
    await cache.create(`s/${index}`, someBytes(400, index));
    expect((await cache.read(`s/${index}`))?.bytes).toEqual(someBytes(400, index));
    expect((await cache.read('s/0'))?.bytes).toEqual(someBytes(400, 0));
    expect(cache.counts().bytes).toBeLessThanOrEqual(5_000);
  }
  metered.reset();
  await cache.read('s/0');
  await cache.read('s/29');
  expect(metered.reset().reads).toBe(0);
  await cache.read('s/1');
  expect(metered.reset().reads).toBe(1);
});

test('an object larger than the budget is read all the same', async () => {
  const { cache } = await setUp(1_000);
  await cache.create('s/a', someBytes(10_000, 3));
  for (let round = 0; round < 2; round++) expect((await cache.read('s/a'))?.bytes).toEqual(someBytes(10_000, 3));
});

test('a read never mixes two versions, also when others replace below', async () => {
  const { memory, cache } = await setUp(100_000);
  const before = await memory.create('s/a', new Uint8Array(500).fill(1));
  await cache.read('s/a', { start: 0, end: 100 });
  await memory.replace('s/a', new Uint8Array(400).fill(2), before);
  expect((await cache.read('s/a'))?.bytes).toEqual(new Uint8Array(400).fill(2));
  expect((await cache.read('s/a', { start: 0, end: 1 }))?.bytes).toEqual(new Uint8Array([2]));
});

test('blocks that two concurrent reads took from two versions are not put together', async () => {
  const { memory, cache } = await setUp(100_000);
  const before = await memory.create('s/a', new Uint8Array(200).fill(1));
  const read = memory.read.bind(memory);
  let reads = 0;
  memory.read = async (key, range) => {
    if (++reads === 2) await memory.replace('s/a', new Uint8Array(200).fill(2), before);
    return read(key, range);
  };
  const parts = await Promise.all([
    cache.read('s/a', { start: 0, end: 1 }),
    cache.read('s/a', { start: 100, end: 101 }),
  ]);
  expect(parts.map((part) => part?.bytes[0])).toEqual([1, 2]);
  expect(new Set((await cache.read('s/a'))?.bytes).size).toBe(1);
});

/** Readers and a writer through one cache over a slow store: a read that begins later never sees an older object. */
test('reads under concurrent replacements and deletions are linearizable', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const clock = new SimulatedClock({ auto: true });
      const random = seededRandom(seed);
      const far = new LatencyStore(new MemoryStore(), { clock, random, readMs: 20, writeMs: 30 });
      const cache = new CacheStore(far, { bytesMax: 3_000, blockBytes: 100, cached: () => true });
      let newest = 0;
      let isDone = false;
      const content = (round: number) => new Uint8Array(350).fill(round);
      const reader = async () => {
        while (!isDone) {
          const floor = newest;
          const start = random() % 300;
          const object = await cache.read('a', { start, end: start + 1 + (random() % 50) });
          if (object !== undefined) {
            expect(new Set(object.bytes).size).toBe(1);
            expect(object.bytes[0]).toBeGreaterThanOrEqual(floor);
            newest = Math.max(newest, object.bytes[0]!);
          }
          await clock.sleep(random() % 10);
        }
      };
      const writer = async () => {
        let version: Version = await cache.create('a', content(1));
        for (let round = 2; round < 30; round++) {
          if (random() % 4 === 0) {
            await cache.delete(['a']);
            expect(await cache.read('a')).toBeUndefined();
            version = await cache.create('a', content(round));
          } else version = await cache.replace('a', content(round), version);
          newest = Math.max(newest, round);
          await clock.sleep(random() % 60);
        }
        isDone = true;
      };
      await Promise.all([writer(), reader(), reader(), reader()]);
    }),
    { numRuns: 20 },
  );
});
