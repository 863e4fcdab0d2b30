import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from '../../../core/query/evaluate.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import { columnsOf, SCHEMA, type TestRow } from './schema.ts';

/*
 * The oracle: SQL's three-valued logic for one row at a time, written without a look at the evaluator. `undefined` is
 * unknown.
 */
type Truth = boolean | undefined;

interface Case {
  readonly text: string;
  readonly truth: (row: TestRow) => Truth;
}

const BIG = 9007199254740993n;
const int = fc.constantFrom(-(2n ** 63n), -1n, 0n, 1n, 2n, 5n, BIG - 1n, BIG, 2n ** 63n - 1n);
const word = fc.constantFrom('', 'a', 'b', 'ab', 'é', '𝄞', '\uffff');
const json = fc.oneof(fc.integer({ min: -2, max: 2 }), word, fc.boolean(), fc.constant(null), fc.constant(undefined));
const row: fc.Arbitrary<TestRow> = fc.record({
  b: fc.boolean(),
  i32: fc.integer({ min: -3, max: 3 }),
  i: int,
  d: fc.constantFrom(-1.5, 0, 0.25, 2, 1e300),
  s: word,
  n: fc.option(int),
  js: fc.record({ k: json }),
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

function orderTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.tuple(operator, fc.integer({ min: -4, max: 4 })).map(([op, value]) => ({
    text: `i32 ${op} ${value}`,
    truth: (row: TestRow) => holds(op, (row.i32 ?? 0) - value),
  })),
  fc.tuple(operator, int, fc.constantFrom('i' as const, 'n' as const)).map(([op, value, name]) => ({
    text: `${name} ${op} ${value}`,
    truth: (row: TestRow) => {
      const own = row[name];
      return own === null || own === undefined ? undefined : holds(op, own < value ? -1 : own > value ? 1 : 0);
    },
  })),
  fc.tuple(operator, word).map(([op, value]) => ({
    text: `${JSON.stringify(value)} ${op} s`,
    truth: (row: TestRow) => holds(op, orderTexts(value, row.s ?? '')),
  })),
  fc.tuple(operator, fc.integer({ min: -2, max: 2 })).map(([op, value]) => ({
    text: `js["k"] ${op} ${value}`,
    truth: (row: TestRow) => {
      const own = (row.js as { k?: unknown }).k;
      return typeof own === 'number' ? holds(op, own - value) : undefined;
    },
  })),
  fc.array(int, { maxLength: 4 }).map((values) => ({
    text: `n in [${values.join(', ')}]`,
    truth: (row: TestRow) => (row.n === null || row.n === undefined ? undefined : values.includes(row.n)),
  })),
  fc.constant({ text: 'n is null', truth: (row: TestRow) => row.n === null }),
  fc.constant({
    text: 'exists js["k"]',
    truth: (row: TestRow) => {
      const own = (row.js as { k?: unknown }).k;
      return own !== undefined && own !== null;
    },
  }),
  fc.boolean().map((value) => ({ text: `b == ${value}`, truth: (row: TestRow) => row.b === value })),
);

const { tree } = fc.letrec<{ tree: Case }>((tie) => ({
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
}));

test('a filter says of each row what three-valued logic says', () => {
  fc.assert(
    fc.property(tree, fc.array(row, { minLength: 1, maxLength: 20 }), ({ text, truth }, rows) => {
      const expected = rows.map((each) => ({ true: 1, false: 0, undefined: 2 })[String(truth(each)) as 'true']);
      expect([...evaluate(parseFilter(text, SCHEMA), columnsOf(rows), rows.length)], text).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});
