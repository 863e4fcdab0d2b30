import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import { coalesceSpans, readSpans } from '../../../core/storage/ranges.ts';
import { someBytes } from '../../conformance/object-store.ts';

const SIZE = 5000;
const span = fc.tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 400 })).map(([start, length]) => ({
  start,
  end: Math.min(SIZE, start + length),
}));
const options = fc.record({ gapBytesMax: fc.nat(300), readBytesMax: fc.integer({ min: 1, max: 2000 }) });

test('groups hold every span once, keep to their bounds, and are no more than needed', () => {
  fc.assert(
    fc.property(fc.array(span), options, (spans, limits) => {
      const groups = coalesceSpans(spans, limits);
      expect(groups.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual([...spans.keys()]);
      for (const [index, { start, end, members }] of groups.entries()) {
        expect(start).toBe(Math.min(...members.map((member) => spans[member]!.start)));
        expect(end).toBe(Math.max(...members.map((member) => spans[member]!.end)));
        if (members.length > 1) {
          const longest = Math.max(...members.map((member) => spans[member]!.end - spans[member]!.start));
          expect(end - start).toBeLessThanOrEqual(Math.max(limits.readBytesMax, longest));
        }
        const next = groups[index + 1];
        if (next === undefined) continue;
        const isFar = next.start - end > limits.gapBytesMax;
        const first = Math.min(...next.members.filter((m) => spans[m]!.start === next.start).map((m) => spans[m]!.end));
        expect(isFar || first - start > limits.readBytesMax).toBe(true);
      }
    }),
  );
});

test('the slices are those of the object, in the order of the question', async () => {
  const bytes = someBytes(SIZE, 1);
  const store = new MemoryStore();
  await store.create('a', bytes);
  await fc.assert(
    fc.asyncProperty(fc.array(span), options, async (spans, limits) => {
      const slices = await readSpans(store, 'a', spans, limits);
      expect(slices).toEqual(spans.map(({ start, end }) => bytes.slice(start, end)));
    }),
  );
});

test('near spans cost one read, far ones one each, at most six at a time', async () => {
  const store = new MemoryStore();
  await store.create('a', someBytes(SIZE, 2));
  const metered = new MeteredStore(store);
  const near = Array.from({ length: 40 }, (_, index) => ({ start: index * 100, end: index * 100 + 10 }));
  await readSpans(metered, 'a', near, { gapBytesMax: 90 });
  expect(metered.reset()).toMatchObject({ reads: 1, bytesRead: 3910 });
  let running = 0;
  let most = 0;
  const read = store.read.bind(store);
  store.read = async (key, range) => {
    most = Math.max(most, ++running);
    const object = await read(key, range);
    running--;
    return object;
  };
  await readSpans(metered, 'a', near, { gapBytesMax: 89 });
  expect(metered.reset()).toMatchObject({ reads: 40, bytesRead: 400 });
  expect(most).toBe(6);
});

test('an absent object, a span beyond the end, an object replaced in between', async () => {
  const store = new MemoryStore();
  expect(await readSpans(store, 'absent', [{ start: 0, end: 1 }])).toBeUndefined();
  expect(await readSpans(store, 'absent', [])).toEqual([]);
  const version = await store.create('a', someBytes(100, 3));
  const beyond = readSpans(store, 'a', [{ start: 90, end: 101 }]);
  await expect(beyond).rejects.toMatchObject({ code: 'invalid' });
  const read = store.read.bind(store);
  let reads = 0;
  store.read = async (key, range) => {
    if (++reads === 2) await store.replace('a', someBytes(100, 4), version);
    return read(key, range);
  };
  const spans = [0, 20, 40].map((start) => ({ start, end: start + 1 }));
  await expect(readSpans(store, 'a', spans, { gapBytesMax: 0 })).rejects.toMatchObject({ code: 'conflict' });
});
