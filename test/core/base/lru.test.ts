import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from '../../../core/base/lru.ts';

/** A list, the most recently used last: the oracle. */
class SlowLru {
  entries: { key: number; size: number }[] = [];
  readonly sizeMax: number;
  constructor(sizeMax: number) {
    this.sizeMax = sizeMax;
  }
  get size() {
    return this.entries.reduce((sum, entry) => sum + entry.size, 0);
  }
  remove(key: number) {
    this.entries = this.entries.filter((entry) => entry.key !== key);
  }
  use(key: number) {
    const entry = this.entries.find((candidate) => candidate.key === key);
    if (entry === undefined) return;
    this.remove(key);
    this.entries.push(entry);
  }
  set(key: number, size: number) {
    this.remove(key);
    if (size > this.sizeMax) return;
    while (this.size + size > this.sizeMax) this.entries.shift();
    this.entries.push({ key, size });
  }
}

test('holds what a list in order of use holds, and never passes its bound', () => {
  const step = fc.record({ what: fc.constantFrom('get', 'set', 'delete', 'peek'), key: fc.nat(9), size: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const slow = new SlowLru(10);
      const evictions: number[] = [];
      const lru: Lru<number, string> = new Lru(10, (key, value) => {
        evictions.push(key);
        expect(value).toBe(`v${key}`);
        expect(lru.size).toBeLessThanOrEqual(10);
      });
      for (const { what, key, size } of steps) {
        if (what === 'get') {
          expect(lru.get(key)).toBe(slow.entries.some((entry) => entry.key === key) ? `v${key}` : undefined);
          slow.use(key);
        } else if (what === 'set') {
          expect(lru.set(key, `v${key}`, size)).toBe(size <= 10);
          slow.set(key, size);
        } else if (what === 'peek') lru.peek(key);
        else {
          lru.delete(key);
          slow.remove(key);
        }
        expect([...lru.keys()]).toEqual(slow.entries.map((entry) => entry.key));
        expect(lru.size).toBe(slow.size);
        for (const evicted of evictions.splice(0)) expect(lru.has(evicted)).toBe(false);
      }
    }),
  );
});
