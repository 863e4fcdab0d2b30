import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { evaluate } from '../../../core/query/evaluate.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import { columnsOf, SCHEMA, type TestRow } from './schema.ts';

/*
 * The test list of the filter language, row by row, as far as rows of `language.test.ts` do not show them already:
 * what a filter means is said by rows that match and rows that do not, by a filter that means the same, or by the code
 * with which it is refused.
 */

interface Meaning {
  readonly filter: string;
  readonly params?: Record<string, unknown>;
  readonly yes?: TestRow;
  readonly no?: readonly TestRow[];
}

function matchesRow({ filter, params }: Meaning, row: TestRow): boolean {
  return evaluate(parseFilter(filter, SCHEMA, params), columnsOf([row]), 1)[0] === 1;
}

const MEANINGS: readonly Meaning[] = [
  {
    filter: 'i > 1 or i < 0 and s == "a"',
    yes: { i: 2n, s: 'b' },
    no: [
      { i: -1n, s: 'b' },
      { i: 0n, s: 'a' },
    ],
  },
  { filter: 's == "it\'s"', yes: { s: "it's" }, no: [{ s: 'its' }] },
  { filter: 's == "\\u0041"', yes: { s: 'A' }, no: [{ s: '\\u0041' }] },
  { filter: 's == "\\U0001D11E\\x41\\101\\n\\?"', yes: { s: '𝄞AA\n?' }, no: [{ s: '' }] },
  { filter: 's == "\\xe4\\xb8\\xad\\344\\270\\255"', yes: { s: '中中' }, no: [{ s: 'ä¸­ä¸­' }] },
  { filter: 's == r"a\\nb"', yes: { s: 'a\\nb' }, no: [{ s: 'a\nb' }] },
  { filter: "s == R'a\\'b'", yes: { s: "a\\'b" }, no: [{ s: "a'b" }] },
  { filter: 's like r"50\\%%"', yes: { s: '50% off' }, no: [{ s: '500' }, { s: '50\\%' }] },
  { filter: 's like "50\\\\%%"', yes: { s: '50% off' }, no: [{ s: '500' }] },
  { filter: 's like r"\\_%"', yes: { s: '_x' }, no: [{ s: 'ax' }] },
  { filter: 's like "%"', yes: { s: 'a\nb' } },
  { filter: 's like "a_c"', yes: { s: 'a𝄞c' }, no: [{ s: 'ac' }, { s: 'abbc' }] },
  { filter: 's in ["a", r"b\\c"]', yes: { s: 'b\\c' }, no: [{ s: 'b' }] },
  { filter: 's > "\uffff"', yes: { s: '𝄞' }, no: [{ s: '\ufffe' }] },
  { filter: 'f == 0.1', yes: { f: 0.1 }, no: [{ f: 0.2 }] },
  { filter: 'f == 0x1.8p1', yes: { f: 3 }, no: [{ f: 1 }] },
  { filter: 'd == 2', yes: { d: 2 }, no: [{ d: 2.5 }] },
  { filter: 'i == 017', yes: { i: 15n }, no: [{ i: 17n }] },
  { filter: 'i > 0x10 or i == 0b11', yes: { i: 3n }, no: [{ i: 16n }, { i: 0n }] },
  { filter: '(i) > ((1))', yes: { i: 2n }, no: [{ i: 1n }] },
  { filter: 'i > -1 and i < -(-5)', yes: { i: 4n }, no: [{ i: 5n }, { i: -1n }] },
  { filter: 'i == 2 ** 3 ** 2', yes: { i: 64n }, no: [{ i: 512n }] },
  { filter: 'i == 7 / 2 + -7 % 4', yes: { i: 0n }, no: [{ i: 4n }] },
  { filter: 'i == (6 & 3 | 8 ^ 1 << 2)', yes: { i: 14n } },
  { filter: 'i == 9007199254740993', yes: { i: 9007199254740993n }, no: [{ i: 9007199254740992n }] },
  { filter: 'i32 == 9007199254740993', no: [{ i32: 1 }] },
  { filter: 'i32 < 9007199254740993', yes: { i32: 2147483647 } },
  { filter: 'i8 < i32', yes: { i8: 1, i32: 2 }, no: [{ i8: 2, i32: 2 }] },
  { filter: 'i >= d', yes: { i: 9007199254740993n, d: 9007199254740992 }, no: [{ i: 1n, d: 1.5 }] },
  { filter: 'f / 2 == 1.5', yes: { f: 3 }, no: [{ f: 2 }] },
  { filter: 'i / 7 >= -2', yes: { i: -20n }, no: [{ i: -21n }] },
  { filter: 'i % 3 == -1', yes: { i: -4n }, no: [{ i: 2n }] },
  { filter: 'i32 % 3 == -1', yes: { i32: -4 }, no: [{ i32: 2 }] },
  { filter: 'i32 / 2 == -1', yes: { i32: -3 }, no: [{ i32: -1 }] },
  { filter: '10 - i32 > 8', yes: { i32: 1 }, no: [{ i32: 2 }] },
  { filter: 'js["a"] == 1', yes: { js: { a: 1.0 } }, no: [{ js: { a: '1' } }, { js: { a: true } }, { js: {} }] },
  { filter: 'js["a"] in [1152921504606846976]', yes: { js: { a: 2 ** 60 } }, no: [{ js: { a: 2 ** 61 } }] },
  { filter: 'js["a"] != 5', yes: { js: { a: 4 } }, no: [{ js: { a: 'x' } }, { js: {} }, { js: { a: null } }] },
  { filter: 'js["a"] % 2 == 1', yes: { js: { a: 3 } }, no: [{ js: { a: 3.5 } }, { js: { a: 'x' } }] },
  { filter: 'js["a"] / 2 == 1', yes: { js: { a: 3 } }, no: [{ js: { a: 3.5 } }] },
  { filter: 'not (js["a"] == 5)', yes: { js: { a: 4 } }, no: [{ js: { a: 'x' } }, { js: {} }] },
  { filter: 'js[\'a\'] in [1, "1", 2.5]', yes: { js: { a: '1' } }, no: [{ js: { a: 2 } }] },
  { filter: 'js["a"] not in [1]', yes: { js: { a: 2 } }, no: [{ js: { a: 'x' } }, { js: {} }, { js: { a: 1 } }] },
  { filter: 'js["a"] not in []', yes: { js: { a: 'x' } }, no: [{ js: {} }, { js: { a: null } }] },
  { filter: 'js["a"] == true', yes: { js: { a: true } }, no: [{ js: { a: 1 } }] },
  { filter: 'js["a"] != [1, "x", [2]]', yes: { js: { a: [] } }, no: [{ js: { a: [1, 'x', [2]] } }, { js: { a: 1 } }] },
  { filter: '"a" < js["a"] <= "c"', yes: { js: { a: 'c' } }, no: [{ js: { a: 'a' } }, { js: { a: 1 } }] },
  { filter: 'js["a"]["__proto__"] is null', yes: { js: { a: {} } } },
  { filter: 'js["constructor"] is null', yes: { js: {} } },
  { filter: 'js is null', no: [{ js: {} }] },
  { filter: 'js is not null', yes: { js: {} } },
  { filter: 'exists js["a"]', yes: { js: { a: [] } }, no: [{ js: { a: {} } }, { js: { a: null } }, { js: {} }] },
  { filter: 'not js["a"] is null', yes: { js: { a: 0 } }, no: [{ js: {} }] },
  { filter: 'not exists js["a"]', yes: { js: {} }, no: [{ js: { a: 0 } }] },
  { filter: 'not s like "a%"', yes: { s: 'b' }, no: [{ s: 'a' }] },
  { filter: 'A["x"] == 1', yes: { dynamic: { A: { x: 1 } } }, no: [{ dynamic: { x: 1 } }] },
  { filter: 'color is null', yes: { dynamic: {} }, no: [{ dynamic: { color: 'red' } }] },
  { filter: 'is == 1', yes: { dynamic: { is: 1 } }, no: [{ dynamic: {} }] },
  { filter: 'And == 1 AND Like == 2', yes: { dynamic: { And: 1, Like: 2 } }, no: [{ dynamic: {} }] },
  { filter: 'true and i == 1 or FALSE', yes: { i: 1n }, no: [{ i: 2n }] },
  { filter: 'json_contains(js["m"], [1,2])', yes: { js: { m: [[1, 2], 3] } }, no: [{ js: { m: [1, 2] } }] },
  { filter: 'json_contains_all(js["m"], [[1], 2])', yes: { js: { m: [2, [1]] } }, no: [{ js: { m: [[1]] } }] },
  { filter: 'json_contains_all(tags, [])', yes: { dynamic: { tags: [] } }, no: [{ dynamic: {} }] },
  { filter: 'json_contains_any(tags, [])', no: [{ dynamic: { tags: [1] } }] },
  { filter: 'json_contains(tags, 1)', yes: { dynamic: { tags: ['1', 1.0] } }, no: [{ dynamic: { tags: ['1'] } }] },
  { filter: 'not array_contains(ai, 3)', yes: { ai: [1n] }, no: [{ ai: [3n] }] },
  { filter: 'ai[1] not in [1]', yes: { ai: [0n, 2n] }, no: [{ ai: [0n] }, { ai: [0n, 1n] }] },
  { filter: 'ai in []', no: [{ ai: [] }, { ai: [1n] }] },
  { filter: 'ai not in []', yes: { ai: [] } },
  { filter: 'array_length(js["a"]) == 2', yes: { js: { a: [1, 2] } }, no: [{ js: { a: 2 } }] },
  { filter: 'starts_with(s, "a%_\\\\")', yes: { s: 'a%_\\b' }, no: [{ s: 'abc\\' }] },
  { filter: 'i + {x} == 3', params: { x: 1 }, yes: { i: 2n }, no: [{ i: 3n }] },
  { filter: '{low} <= f < {high}', params: { low: 1, high: 1.5 }, yes: { f: 1.25 }, no: [{ f: 1.5 }] },
  { filter: 'json_contains_any(tags, {x})', params: { x: ['a', 1] }, yes: { dynamic: { tags: [1] } } },
  { filter: 'i == 1', params: { unused: null }, yes: { i: 1n } },
];

test.each(MEANINGS)('$filter', (meaning) => {
  if (meaning.yes !== undefined) expect(matchesRow(meaning, meaning.yes)).toBe(true);
  for (const row of meaning.no ?? []) expect(matchesRow(meaning, row)).toBe(false);
});

const REFUSED: readonly (readonly [filter: string, message: RegExp, params?: Record<string, unknown>])[] = [
  ['b', /predicate is not a boolean expression/],
  ['"x"', /predicate is not a boolean expression/],
  ['1', /predicate is not a boolean expression/],
  ['{x}', /predicate is not a boolean expression/, { x: true }],
  ['s', /predicate is not a boolean expression/],
  ['i + 1', /predicate is not a boolean expression/],
  ['not i > 5', /binds tighter/],
  ['not i in [1]', /binds tighter/],
  ['b and i == 1', /predicate is not a boolean expression/],
  ['i & 4 == 4', /only be applied on integers/],
  ['(f & 1) == 1', /only be applied on integers/],
  ['(i > 1) == true', /incompatible/],
  ['1.0 < i32 < 2.0', /cannot compare 1/],
  ['1 < b < 2', /cannot compare/],
  ['false < b < true', /range/],
  ['1 < js["a"] < "x"', /both/],
  ['1 < ai < 2', /whole array/],
  ['i + 1 in [1]', /single field/],
  ['1 in [1]', /single field/],
  ['i in [i]', /constants/],
  ['i in [{x}]', /constants/, { x: 1 }],
  ['a + b == 1', /one field and one constant/],
  ['2 % i == 0', /divided/],
  ['i % 2.5 == 0', /modulo/],
  ['f % 2 == 0', /modulo/],
  ['s + 1 == 1', /arithmetic on VarChar/],
  ['i % 0 == 1', /divide by zero/],
  ['1 / 0 == 1', /divide by zero/],
  ['array_length(ai) == 1.5', /integer/],
  ['9223372036854775807 + 1 == 0', /int64 overflow/],
  ['9 ** 63 ** 63 ** 63 == 0', /int64 overflow/],
  ['10.0 ** 400 == 0', /beyond the range/],
  ['i * 2 == 18446744073709551614', /int64 overflow/],
  ['1 == "1"', /comparisons between/],
  ['true < false', /not supported on bool/],
  ['js["a"] < true', /not supported on bool/],
  ['ai == as', /field-to-field comparison involving ARRAY/],
  ['ai < [1]', /whole array/],
  ['i == [1]', /whole array and a list/],
  ['b == s', /comparisons between Bool and VarChar/],
  ['ai[0] is null', /array elements/],
  ['exists $meta', /json keys/],
  ['i  is  null', /mismatched input 'is'/],
  ['n Is Null', /mismatched input 'Is'/],
  ['n is null null', /mismatched input|NULL literal/],
  ['n == Null', /NULL literal is not supported/],
  ['v is null', /vector field/],
  ['v["x"] == 1', /vector field/],
  ['Json_Contains(js["a"], 1)', /function Json_Contains not found/],
  ['array_contains(i, 1)', /json or array/],
  ['empty(i)', /VarChar/],
  ['s == "\\ud800"', /no character/],
  ['s == "\\xff"', /not UTF-8/],
  ['s == "a\nb"', /does not end/],
  ['s == r"a\\"', /does not end/],
  ['i == 089', /octal/],
  ['i == 1a', /not a number/],
  ['i == 1e999', /beyond the range/],
  ['i == \u00a01', /token recognition error/],
  ['i == #', /token recognition error/],
  ['i == 1 i == 2', /mismatched input 'i'/],
  ['s like r"a\\\\\\"', /does not end|lone backslash/],
  ['s like "a\\\\"', /lone backslash/],
  ['i == {x}', /the value of expression template variable name \{x\} is not found/],
  ['i == {toString}', /is not found/],
  ['1 == {x}', /template/, { x: 1 }],
  ['-{x} == i', /template/, { x: 1 }],
];

test.each(REFUSED.map(([filter, message, params]) => ({ filter, message, params })))(
  '$filter is refused',
  ({ filter, message, params }) => {
    let error: unknown;
    try {
      parseFilter(filter, SCHEMA, params);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'invalid', milvusCode: 1100, message: expect.stringMatching(message) });
    expect(String(error)).toContain('cannot parse expression: ');
  },
);

test.each([
  's =~ "^E[0-9]{4}$"',
  's !~ "(?i)debug"',
  '(i & 4) == 4',
  '~i == 4',
  'text_match(s, "quick fox", minimum_should_match=2)',
  'TEXT_MATCH(s, "a")',
  'phrase_match(s, "quick fox", 2)',
  'i > 0 and random_sample(0.5)',
  "t >= ISO '2025-01-01T00:00:00Z'",
  "t + INTERVAL 'P1D' > ISO '2025-01-01T00:00:00Z'",
  'st_within(g, "POLYGON((0 0,10 0,10 10,0 10,0 0))")',
  'match_any(st, $[si] > 1 && $[ss] == "a")',
  'match_least(st, $[si] > 1, threshold=2)',
  'st[0][si] == 3',
  'i > 0 && element_filter(st, $[si] > 1)',
])('%s is not done yet, and the error names it', (filter) => {
  let error: unknown;
  try {
    parseFilter(filter, SCHEMA);
  } catch (thrown) {
    error = thrown;
  }
  expect(codeOf(error)).toBe('unsupported');
  expect((error as { details: { feature?: string } }).details.feature).toBeTruthy();
});

test('two JSON columns and no dynamic field leave a bare name without a meaning, one gives it one', () => {
  const json = SCHEMA.fields.filter(({ name }) => name === 'js');
  const one = { enableDynamicField: false, fields: SCHEMA.fields };
  expect(parseFilter('A == 1', one)).toEqual(parseFilter('js["A"] == 1', one));
  const two = { enableDynamicField: false, fields: [...SCHEMA.fields, { ...json[0]!, id: 200, name: 'js2' }] };
  expect(() => parseFilter('A == 1', two)).toThrow(/field A not exist/);
  expect(() => parseFilter('$meta["A"] == 1', one)).toThrow(/field \$meta not exist/);
});

test('an error quotes a long filter in part', () => {
  const long = `i == 1 ${'and i == 1 '.repeat(10_000)} and`;
  expect(() => parseFilter(long, SCHEMA)).toThrow(/^cannot parse expression: .{1024}…, error: line 1:\d+ mismatched/);
});
