import fc from 'fast-check';
import type { TestRow } from './schema.ts';

/*
 * The oracle: SQL's three-valued logic for one row at a time, written without a look at the evaluator. `undefined` is
 * unknown.
 */
export type Truth = boolean | undefined;

export interface Case {
  readonly text: string;
  readonly truth: (row: TestRow) => Truth;
}

const BIG = 9007199254740993n;
const int = fc.constantFrom(
  -(2n ** 63n),
  -(2n ** 32n),
  -1n,
  0n,
  1n,
  2n,
  5n,
  2n ** 32n - 1n,
  BIG - 1n,
  BIG,
  2n ** 63n - 1n,
);
const double = fc.constantFrom(-1.5, 0, 0.25, 2, 9007199254740992, 1e300);
const word = fc.constantFrom('', 'a', 'b', 'ab', 'a%b', 'é', '𝄞', 'a𝄞b', '\uffff');
/** What lies in JSON: integers beyond 2^53 as bigint, as they are written. */
const jsonScalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom(0.5, BIG, BIG + 1n, 2 ** 60, 2n ** 63n - 1n),
  word,
  fc.boolean(),
);
const jsonArray = fc.array(fc.oneof(jsonScalar, fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 })), {
  maxLength: 3,
});
const json = fc.oneof(jsonScalar, jsonArray, fc.constantFrom(null, undefined, {}), fc.record({ in: jsonScalar }));
/** A row with values at and around every bound. */
export const row: fc.Arbitrary<TestRow> = fc.record({
  b: fc.boolean(),
  i8: fc.integer({ min: -128, max: 127 }),
  i32: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  i: int,
  f: fc.constantFrom(-1.5, 0, 0.1, 3),
  d: double,
  s: word,
  n: fc.option(int, { nil: null }),
  ai: fc.array(int, { maxLength: 3 }),
  as: fc.array(word, { maxLength: 3 }),
  js: fc.record({ k: json }),
  dynamic: fc.record({ k: json, in: jsonScalar }, { requiredKeys: [] }),
});

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
const operator: fc.Arbitrary<Operator> = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

function holds(operator: Operator, order: number): boolean {
  if (operator === '==') return order === 0;
  if (operator === '!=') return order !== 0;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

/** The order of two values of one kind; unknown for null, for what is absent and for values of two kinds. */
export function orderOf(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  const areNumbers = [a, b].every((value) => typeof value === 'number' || typeof value === 'bigint');
  if (!areNumbers) return undefined;
  const [x, y] = [a as number, b as number];
  return x < y ? -1 : x > y ? 1 : 0;
}

function compared(own: unknown, op: Operator, value: unknown): Truth {
  const order = orderOf(own, value);
  return order === undefined ? undefined : holds(op, order);
}

function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => same(item, b[at]));
  return orderOf(a, b) === 0;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value === 2 ** 60) return '1.152921504606846976e18';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** A place in a row, with values that it is compared with. */
interface Place {
  readonly text: string;
  readonly of: (row: TestRow) => unknown;
  readonly value: fc.Arbitrary<unknown>;
  readonly isBool?: boolean;
  readonly isJson?: boolean;
}

function inside(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}

const PLACES: readonly Place[] = [
  { text: 'b', of: (row) => row.b, value: fc.boolean(), isBool: true },
  { text: 'i8', of: (row) => row.i8, value: fc.oneof(fc.integer({ min: -130, max: 130 }), int) },
  { text: 'i32', of: (row) => row.i32, value: fc.oneof(fc.integer({ min: -4, max: 4 }), int) },
  { text: 'i', of: (row) => row.i, value: int },
  { text: 'n', of: (row) => row.n, value: int },
  { text: 'd', of: (row) => row.d, value: double },
  { text: 's', of: (row) => row.s, value: word },
  { text: 'ai[1]', of: (row) => row.ai?.[1], value: int },
  { text: 'as[0]', of: (row) => row.as?.[0], value: word },
  { text: 'js["k"]', of: (row) => inside(row.js, 'k'), value: jsonScalar, isJson: true },
  { text: 'js["k"]["in"]', of: (row) => inside(inside(row.js, 'k'), 'in'), value: jsonScalar, isJson: true },
  { text: 'js["k"][0]', of: (row) => inside(inside(row.js, 'k'), 0), value: jsonScalar, isJson: true },
  { text: 'k', of: (row) => inside(row.dynamic, 'k'), value: jsonScalar, isJson: true },
  { text: '$meta["in"]', of: (row) => inside(row.dynamic, 'in'), value: jsonScalar, isJson: true },
];
const place = fc.constantFrom(...PLACES);

const comparison = place.chain(({ text, of, value }) =>
  fc.tuple(value, operator, fc.boolean()).map(([constant, wanted, isReversed]): Case => {
    const isOrder = wanted !== '==' && wanted !== '!=';
    const op: Operator = typeof constant === 'boolean' && isOrder ? '==' : wanted;
    const flipped = op.includes('<') ? op.replace('<', '>') : op.replace('>', '<');
    return {
      text: isReversed ? `${literal(constant)} ${flipped} ${text}` : `${text} ${op} ${literal(constant)}`,
      truth: (row) => compared(of(row), op, constant),
    };
  }),
);

const membership = place.chain(({ text, of, value, isJson }) =>
  fc.tuple(fc.array(value, { maxLength: 4 }), fc.boolean()).map(([list, isNegated]): Case => {
    const truth = (row: TestRow): Truth => {
      const own = of(row);
      if (own === undefined || own === null) return undefined;
      if (list.some((item) => same(own, item))) return true;
      return isJson && list.length > 0 && list.every((item) => orderOf(own, item) === undefined) ? undefined : false;
    };
    return {
      text: `${text} ${isNegated ? 'not in' : 'in'} ${literal(list)}`,
      truth: (row) => (isNegated && truth(row) !== undefined ? !truth(row) : truth(row)),
    };
  }),
);

const ranged = fc
  .constantFrom(...PLACES.filter(({ isBool, isJson }) => !isBool && !isJson))
  .chain(({ text, of, value }) =>
    fc
      .tuple(value, value, fc.constantFrom('<' as const, '<=' as const), fc.constantFrom('<' as const, '<=' as const))
      .map(
        ([low, high, first, second]): Case => ({
          text: `${literal(low)} ${first} ${text} ${second} ${literal(high)}`,
          truth: (row) => {
            const [above, below] = [compared(low, first, of(row)), compared(of(row), second, high)];
            return above === undefined || below === undefined ? undefined : above && below;
          },
        }),
      ),
  );

/** The remainder and the quotient of integers, by the definition: the quotient is cut off towards zero. */
const arithmetic = fc
  .tuple(
    fc.constantFrom(...PLACES.filter(({ text }) => ['i8', 'i32', 'i', 'n', 'ai[1]'].includes(text))),
    fc.constantFrom('+', '-', '*', '/', '%'),
    fc.constantFrom(-7n, -1n, 1n, 3n, 2n ** 40n),
    operator,
    int,
  )
  .map(
    ([{ text, of }, symbol, constant, op, value]): Case => ({
      text: `${text} ${symbol} ${constant} ${op} ${value}`,
      truth: (row) => {
        const own = of(row) as number | bigint | null | undefined;
        if (own === null || own === undefined) return undefined;
        const big = BigInt(own);
        const results = {
          '+': big + constant,
          '-': big - constant,
          '*': big * constant,
          '/': big / constant,
          '%': big % constant,
        };
        return compared(results[symbol as '+'], op, value);
      },
    }),
  );

const contains = fc
  .tuple(
    fc.constantFrom('ai', 'as', 'js["k"]', 'k'),
    fc.constantFrom('any' as const, 'all' as const),
    fc.array(int, { maxLength: 3 }),
    fc.array(word, { maxLength: 3 }),
    jsonArray,
  )
  .map(([text, mode, ints, words, mixed]): Case => {
    const list: readonly unknown[] = text === 'ai' ? ints : text === 'as' ? words : mixed;
    const of = (row: TestRow): unknown =>
      text === 'ai' ? row.ai : text === 'as' ? row.as : inside(text === 'k' ? row.dynamic : row.js, 'k');
    return {
      text: `array_contains_${mode}(${text}, ${literal(list)})`,
      truth: (row) => {
        const array = of(row);
        if (!Array.isArray(array)) return undefined;
        const isThere = (item: unknown): boolean => array.some((own) => same(own, item));
        return mode === 'all' ? list.every(isThere) : list.some(isThere);
      },
    };
  });

const leaf: fc.Arbitrary<Case> = fc.oneof(
  { weight: 4, arbitrary: comparison },
  { weight: 2, arbitrary: membership },
  ranged,
  arithmetic,
  contains,
  fc
    .tuple(fc.constantFrom(['i8', 'i32'], ['i', 'n'], ['n', 'd'], ['d', 'i32'], ['s', 's']), operator)
    .map(([[a, b], op]): Case => {
      const of = (name: string, row: TestRow): unknown => row[name as 'i'];
      return { text: `${a} ${op} ${b}`, truth: (row) => compared(of(a!, row), op, of(b!, row)) };
    }),
  fc.tuple(jsonArray, fc.boolean()).map(
    ([list, isEqual]): Case => ({
      text: `js["k"] ${isEqual ? '==' : '!='} ${literal(list)}`,
      truth: (row) => {
        const own = inside(row.js, 'k');
        return Array.isArray(own) ? same(own, list) === isEqual : undefined;
      },
    }),
  ),
  fc.tuple(fc.constantFrom(...PLACES.filter(({ text }) => ['s', 'as[0]', 'k'].includes(text))), word).map(
    ([{ text, of }, part]): Case => ({
      text: `${text} like ${JSON.stringify(`%${part.replace('%', '\\%')}%`)}`,
      truth: (row) => {
        const own = of(row);
        return typeof own === 'string' ? own.includes(part) : undefined;
      },
    }),
  ),
  fc.constantFrom<Case[]>(
    { text: 'n is null', truth: (row) => row.n === null },
    { text: 's is not null', truth: () => true },
    { text: 'js is null', truth: () => false },
    ...PLACES.filter(({ isJson }) => isJson).map(
      ({ text, of }): Case => ({
        text: `exists ${text}`,
        truth: (row) => {
          const own = of(row);
          if (own === undefined || own === null) return false;
          return typeof own !== 'object' || Array.isArray(own) || Object.keys(own).length > 0;
        },
      }),
    ),
    { text: 'array_length(ai) == 2', truth: (row) => row.ai?.length === 2 },
    { text: 'true', truth: () => true },
    { text: '1 > 2', truth: () => false },
  ),
);

/** A filter as text, and what it says of a row. */
export const filter: fc.Arbitrary<Case> = fc.letrec<{ tree: Case }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
      text: `(${a.text}) and (${b.text})`,
      truth: (row: TestRow): Truth => {
        const [x, y] = [a.truth(row), b.truth(row)];
        if (x === false || y === false) return false;
        return x === undefined || y === undefined ? undefined : true;
      },
    })),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
      text: `(${a.text}) or (${b.text})`,
      truth: (row: TestRow): Truth => {
        const [x, y] = [a.truth(row), b.truth(row)];
        if (x === true || y === true) return true;
        return x === undefined || y === undefined ? undefined : false;
      },
    })),
    tie('tree').map((a) => ({
      text: `not (${a.text})`,
      truth: (row: TestRow): Truth => {
        const value = a.truth(row);
        return value === undefined ? undefined : !value;
      },
    })),
  ),
})).tree;
