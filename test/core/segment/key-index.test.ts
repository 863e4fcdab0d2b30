import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Key } from '../../../core/model/column.ts';
import { KeyIndex } from '../../../core/segment/key-index.ts';
import { columnOf } from '../column/batches.ts';

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: -3, max: 3 }).map(BigInt),
);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('', 'a', 'b'));

test.each(['Int64', 'VarChar'] as const)('an index over %s keys finds what a map finds', (type) => {
  const key: fc.Arbitrary<Key> = type === 'Int64' ? int64 : text;
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), fc.array(key), (keys, others) => {
      const index = new KeyIndex(columnOf({ id: 100, type, nullable: false }, keys));
      const map = new Map(keys.map((each, row) => [each, row]));
      for (const each of [...keys, ...others]) expect(index.find(each)).toBe(map.get(each));
      expect(index.find(type === 'Int64' ? 'a' : 1n)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('keys that no Int64 holds are not taken for those that they would be cut to', () => {
  const index = new KeyIndex(columnOf({ id: 100, type: 'Int64', nullable: false }, [0n, -1n]));
  expect(index.find(2n ** 64n)).toBeUndefined();
  expect(index.find(2n ** 64n - 1n)).toBeUndefined();
  expect(index.find(-1n)).toBe(1);
});

test.each([
  ['consecutive', (at: number) => BigInt(at)],
  ['multiples of a power of two', (at: number) => BigInt(at) << 40n],
  ['timestamps', (at: number) => (1_760_000_000_000n + BigInt(at)) << 18n],
])('%s keys do not collide more than chance has it', (_, keyAt) => {
  const rows = 100_000;
  const column = columnOf(
    { id: 100, type: 'Int64', nullable: false },
    Array.from({ length: rows }, (_, at) => keyAt(at)),
  );
  const index = new KeyIndex(column);
  for (let row = 0; row < rows; row += 997) expect(index.find(keyAt(row))).toBe(row);
  // Between two and four slots a row, of four bytes each.
  expect(index.bytes).toBeLessThanOrEqual(16 * rows);
  // Half full, linear probing looks at 1.5 slots for a key that is there (Knuth); clusters would show at once.
  expect(index.meanProbes()).toBeLessThan(2);
});
