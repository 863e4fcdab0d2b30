import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallestHeap } from '../../../core/base/heap.ts';

test('the heap keeps the smallest values, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 0, max: 40 }), (values, limit) => {
      const heap = new SmallestHeap<number>(limit, (a, b) => a - b);
      for (const value of values) heap.offer(value);
      expect(heap.sorted()).toEqual(values.toSorted((a, b) => a - b).slice(0, limit));
    }),
  );
});
