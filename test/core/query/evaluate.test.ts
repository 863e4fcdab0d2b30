import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column } from '../../../core/model/column.ts';
import { evaluate } from '../../../core/query/evaluate.ts';
import type { Constant, Expression } from '../../../core/query/expression.ts';
import { type ColumnStatistics, canMatch } from '../../../core/query/prune.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import { matches } from '../../../core/query/truth.ts';
import { filter, orderOf, row } from './oracle.ts';
import { columnsOf, SCHEMA, type TestRow } from './schema.ts';

/** The statistics that a segment could keep of its columns. */
function statisticsOf(rows: readonly TestRow[], fieldId: number): ColumnStatistics | undefined {
  const name = SCHEMA.fields.find(({ id }) => id === fieldId)?.name as keyof TestRow;
  if (!['b', 'i8', 'i32', 'i', 'd', 's', 'n'].includes(name)) return undefined;
  const values = rows.map((row) => row[name]).filter((value) => value !== null) as Constant[];
  values.sort((a, b) => orderOf(a, b) ?? 0);
  const [min, max] = [values[0], values.at(-1)];
  const nullCount = rows.length - values.length;
  return min === undefined || max === undefined ? { nullCount } : { min, max, nullCount };
}

describe('evaluation', () => {
  test('a filter says of each row what three-valued logic says', () => {
    fc.assert(
      fc.property(filter, fc.array(row, { minLength: 1, maxLength: 20 }), ({ text, truth }, rows) => {
        const expected = rows.map((each) => ({ true: 1, false: 0, undefined: 2 })[String(truth(each)) as 'true']);
        // As it arrives at another role.
        const expression: Expression = structuredClone(parseFilter(text, SCHEMA));
        expect([...evaluate(expression, columnsOf(rows), rows.length)], text).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });

  test('statistics never hide a row that matches', () => {
    fc.assert(
      fc.property(filter, fc.array(row, { minLength: 1, maxLength: 3 }), ({ text }, rows) => {
        const expression = parseFilter(text, SCHEMA);
        const result = evaluate(expression, columnsOf(rows), rows.length);
        if (!canMatch(expression, (fieldId) => statisticsOf(rows, fieldId))) expect([...result], text).not.toContain(1);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['i > 9', false],
    ['i >= 9', true],
    ['not (i <= 9)', false],
    ['not (i < 9)', true],
    ['not (i < 10)', false],
    ['not (i > 5)', true],
    ['not (i > 4)', false],
    ['not (i >= 5)', false],
    ['not (i != 5)', true],
    ['i in [1, 10]', false],
    ['i in [1, 7]', true],
    ['i == 9 and s == "q"', false],
    ['i == 10 or s == "b"', true],
    ['n == 1', false],
    ['not (n == 1)', false],
    ['n is null', true],
    ['s is null', false],
    ['js["a"] == 1', true],
  ])('statistics say whether %s may match', (filter, expected) => {
    const rows: TestRow[] = [
      { i: 5n, s: 'a', n: null },
      { i: 9n, s: 'c', n: null },
    ];
    expect(canMatch(parseFilter(filter, SCHEMA), (fieldId) => statisticsOf(rows, fieldId))).toBe(expected);
  });

  test('a column that grows and keeps room is read as far as it is asked', () => {
    const texts = ['{"a":1}', '{"a":2,"b":1}'];
    const json = (): Column => ({
      type: 'JSON',
      length: texts.length,
      values: texts,
      valid: Uint8Array.of(1, 1, 0, 1),
    });
    const numbers: Column = { type: 'Int64', length: 2, values: BigInt64Array.of(1n, 2n, 3n, 4n, 5n).subarray(0) };
    const rows = { column: (id: number): Column => (id === 108 ? json() : numbers) };
    const run = (filter: string, count: number): number[] => [...evaluate(parseFilter(filter, SCHEMA), rows, count)];
    expect(run('js["a"] == 1', 1)).toEqual([1]);
    expect(run('js["a"] == 1', 2)).toEqual([1, 0]);
    texts.push('', '{"a":1}');
    expect(run('js["b"] == 1 or js["a"] == 1', 4)).toEqual([1, 1, 2, 1]);
    expect(run('js["a"] == 1', 3)).toEqual([1, 0, 2]);
    expect(run('i >= 2', 2)).toEqual([0, 1]);
    expect(run('i in [2, 4]', 4)).toEqual([0, 1, 0, 1]);
  });

  test('more than filters keep of JSON is evaluated all the same', () => {
    const long = 'x'.repeat(1_000_000);
    const columns = Array.from({ length: 12 }, (_, at): Column => {
      return { type: 'JSON', length: 2, values: [`{"a":"${long}","n":${at}}`, '{"n":-1}'] };
    });
    for (let round = 0; round < 2; round++) {
      for (const [at, column] of columns.entries()) {
        const parsed = parseFilter(`js["a"] like "x%" and js["n"] == ${at}`, SCHEMA);
        expect([...evaluate(parsed, { column: () => column }, 2)]).toEqual([1, 0]);
      }
    }
  });

  test('the rows that are true are the bits that are set', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 2), { maxLength: 40 }), (values) => {
        const bitmap = matches(Uint8Array.from(values));
        expect(bitmap.length).toBe(Math.ceil(values.length / 8));
        expect(values.map((_, at) => (bitmap[at >> 3]! >> (at & 7)) & 1)).toEqual(
          values.map((value) => Number(value === 1)),
        );
      }),
    );
  });
});
