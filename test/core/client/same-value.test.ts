import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameValue } from '../../../core/client/same-value.ts';

const value = fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: false, maxDepth: 3 });

function copy(original: unknown): unknown {
  return structuredClone(original);
}

test('a copy is the same', () => {
  fc.assert(
    fc.property(value, (each) => {
      expect(sameValue(each, copy(each))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('what differs in one place is not, however deep', () => {
  const wrap = fc.constantFrom<(inner: unknown) => unknown>(
    (inner) => [1, inner],
    (inner) => ({ a: 1, b: inner }),
    (inner) => ({ inner }),
  );
  const differing = fc.constantFrom<readonly [unknown, unknown]>(
    [1, 2],
    [1, 1n],
    ['1', 1],
    [null, undefined],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [{ a: undefined }, {}],
    [{ a: 1 }, { b: 1 }],
    [Float32Array.of(1, 2), Float32Array.of(1, 3)],
    [Float32Array.of(1), Float32Array.of(1, 3)],
    [Float32Array.of(1), Float64Array.of(1)],
    [Float32Array.of(1), [1]],
  );
  fc.assert(
    fc.property(differing, fc.array(wrap, { maxLength: 4 }), ([a, b], wraps) => {
      const inside = (inner: unknown): unknown => wraps.reduce((held, each) => each(held), inner);
      expect(sameValue(inside(a), inside(b))).toBe(false);
      expect(sameValue(inside(b), inside(a))).toBe(false);
    }),
    { numRuns: 300 },
  );
});
