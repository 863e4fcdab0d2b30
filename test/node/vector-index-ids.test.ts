import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowIds } from '../../wasm/vector-index-ids.ts';

/** Ids near each other, near the edges of 32 and 53 bits, and anywhere. */
const numbers = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(-0, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  fc.maxSafeInteger(),
);
const bigints = fc.oneof(
  fc.bigInt({ min: 0n, max: 12n }),
  fc.constantFrom(2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

/** The newest row of each id, and the rows that a batch replaces. */
class Model {
  readonly rows: Map<number | bigint, number> = new Map();
  #size = 0;

  append(ids: readonly (number | bigint)[]): number[] {
    const replaced: number[] = [];
    for (const id of ids) {
      const before = this.rows.get(id);
      if (before !== undefined) replaced.push(before);
      this.rows.set(id, this.#size++);
    }
    return replaced.sort((a, b) => a - b);
  }
}

function expectSame(
  ids: RowIds,
  model: Model,
  all: readonly (number | bigint)[],
  others: readonly (number | bigint)[],
) {
  for (const [row, id] of all.entries()) expect(ids.idOf(row)).toBe(typeof id === 'number' ? id + 0 : id);
  expect([...ids.idsOf(Uint32Array.from(all.keys()))]).toEqual(all.map((id) => (typeof id === 'number' ? id + 0 : id)));
  for (const id of [...all, ...others]) expect(ids.rowOf(id)).toBe(model.rows.get(id));
}

function reload(ids: RowIds, size: number): RowIds {
  const sections = ids.sections().map((section) => {
    const bytes = new Uint8Array(section.byteLength);
    section.copyTo(bytes);
    return { ...section, bytes };
  });
  const state = JSON.parse(JSON.stringify(ids.state)) as typeof ids.state;
  return RowIds.load({ spec: {} as never, state, sections }, size);
}

describe('RowIds', () => {
  it.each([
    ['numbers', numbers, (ids: readonly (number | bigint)[]) => ids as number[]],
    ['64 bits', bigints, (ids: readonly (number | bigint)[]) => BigUint64Array.from(ids as bigint[])],
  ] as const)('finds the newest row of each id, saved and loaded as well: %s', (_, id, given) => {
    const batches = fc.array(fc.array(id as fc.Arbitrary<number | bigint>, { maxLength: 20 }), { maxLength: 6 });
    fc.assert(
      fc.property(batches, fc.array(id as fc.Arbitrary<number | bigint>), fc.boolean(), (parts, others, isSorted) => {
        let ids = new RowIds();
        const model = new Model();
        const all: (number | bigint)[] = [];
        for (const part of parts) {
          const batch = isSorted ? [...part].sort((a, b) => (a < b ? -1 : 1)) : part;
          ids.check(given(batch), batch.length);
          expect(ids.append(given(batch), batch.length)).toEqual(model.append(batch));
          all.push(...batch);
          expectSame(ids, model, all, others);
          ids = reload(ids, all.length);
          expectSame(ids, model, all, others);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('takes no memory for rows that are their ids, 4 bytes for small ascending ones, and at most 24', () => {
    const rows = new RowIds();
    rows.append(undefined, 1000);
    expect(rows.bytes).toBe(0);
    expect([rows.rowOf(999), rows.rowOf(1000), rows.rowOf(-1), rows.rowOf(0.5), rows.rowOf(1n)]).toEqual([
      ...[999, undefined, undefined, undefined, undefined],
    ]);
    const small = new RowIds();
    small.append(
      Array.from({ length: 1000 }, (_, at) => 3 * at),
      1000,
    );
    expect(small.bytes).toBe(4000);
    const mixed = new RowIds();
    mixed.append(
      Array.from({ length: 1000 }, (_, at) => 2 ** 40 - at),
      1000,
    );
    expect(mixed.bytes).toBeLessThanOrEqual(8000 + 16_384);
  });

  it('keeps the numbers of rows that were their ids when others follow', () => {
    const ids = new RowIds();
    ids.append(undefined, 3);
    expect(ids.append([10, 1], 2)).toEqual([1]);
    expect([...ids.idsOf(Uint32Array.of(0, 1, 2, 3, 4))]).toEqual([0, 1, 2, 10, 1]);
    expect(ids.rowOf(1)).toBe(4);
    expect(() => ids.check(undefined, 1)).toThrow(/have ids of their own/);
    expect(() => ids.check(BigUint64Array.of(1n), 1)).toThrow(/are numbers/);
    expect(() => ids.check([1.5], 1)).toThrow('ids[0] is 1.5');
    expect(() => ids.check([1, 2], 1)).toThrow('2 ids were given for 1 vectors');
  });
});
