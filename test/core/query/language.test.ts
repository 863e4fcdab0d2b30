import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { evaluate } from '../../../core/query/evaluate.ts';
import { fieldsOf, isAlwaysTrue, keysOf } from '../../../core/query/keys.ts';
import { compileLike } from '../../../core/query/like.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import { columnsOf, SCHEMA, type TestRow } from './schema.ts';

/** The rows (by number) for which a filter is true. */
function select(filter: string, rows: readonly TestRow[], params: Record<string, unknown> = {}): number[] {
  const result = evaluate(parseFilter(filter, SCHEMA, params), columnsOf(rows), rows.length);
  return [...result.keys()].filter((row) => result[row] === 1);
}

const ROWS: readonly TestRow[] = [
  {
    pk: 1n,
    b: true,
    i8: 1,
    i32: 5,
    i: 5n,
    f: 2,
    d: 0.5,
    s: 'abc',
    n: 1n,
    ai: [1n, 2n, 3n],
    as: ['ax', 'y'],
    js: { a: 6, t: ['a', 1] },
    dynamic: { color: 'red', price: 20 },
  },
  {
    pk: 2n,
    b: false,
    i8: 9,
    i32: 4,
    i: 9n,
    f: 2.5,
    d: -1,
    s: 'a_c',
    n: null,
    ai: [],
    as: [],
    js: { a: 'x' },
    dynamic: { price: 5 },
  },
  {
    pk: 3n,
    b: true,
    i8: -3,
    i32: 0,
    i: 9223372036854775807n,
    f: -0.1,
    d: 1e300,
    s: '50%',
    n: 2n,
    ai: [4n],
    as: ['b'],
    js: { a: { b: ['x'] } },
    dynamic: { color: 'blue' },
  },
  { pk: 4n, i: -9223372036854775808n, s: 'it"s', n: 5n, js: { a: [1, 2] }, dynamic: {} },
  { pk: 5n, i: 0n, s: '', n: 0n, js: { a: null, e: {} }, dynamic: { A: 2 ** 53 } },
];

describe('the filter language, by the examples of its specification', () => {
  test.each<[string, number[]]>([
    ['i == 5', [0]],
    ['5 == i', [0]],
    ['i != 5', [1, 2, 3, 4]],
    ['i > 3 && i < 10', [0, 1]],
    ['3 < i < 10', [0, 1]],
    ['9 >= i >= 5', [0, 1]],
    ['i in [5, 9, 3,]', [0, 1]],
    ['i not in [5, 9]', [2, 3, 4]],
    ['i in []', []],
    ['i not in []', [0, 1, 2, 3, 4]],
    ['f == 2', [0]],
    ['f == -0.1', [2]],
    ['f in [2, 2.5]', [0, 1]],
    ['b == true', [0, 2]],
    ['b in [true, false]', [0, 1, 2, 3, 4]],
    ['true', [0, 1, 2, 3, 4]],
    ['FALSE', []],
    ['not (i > 5)', [0, 3, 4]],
    ['!(i > 5) or s == "a_c"', [0, 1, 3, 4]],
    ['i > 100 or i < 0 and s == "it\\"s"', [2, 3]],
    ['s > "a" and s <= "m"', [0, 1, 3]],
    ["s == 'it\"s'", [3]],
    ['s == "\\x61bc"', [0]],
    ['s == r"50%"', [2]],
    ['s like "ab%"', [0]],
    ['s like "%c"', [0, 1]],
    ['s like "%b%"', [0]],
    ['s like "a_c"', [0, 1]],
    ['s like r"a\\_c"', [1]],
    ['s like r"50\\%"', [2]],
    ['s like "abc"', [0]],
    ['s like ""', [4]],
    ['s like "%"', [0, 1, 2, 3, 4]],
    ['i32 % 2 == 0', [1, 2, 3, 4]],
    ['i32 / 5 >= 1', [0]],
    ['1 + f > 3', [1]],
    ['i > 2 ** 2', [0, 1, 2]],
    ['i > 10 - 2 * 3', [0, 1, 2]],
    ['2 ** -1 == 0.5', [0, 1, 2, 3, 4]],
    ['i < -(-6) and i > -1', [0, 4]],
    ['i8 < i32', [0, 2]],
    ['n is null', [1]],
    ['n IS NOT NULL', [0, 2, 3, 4]],
    ['n != 1', [2, 3, 4]],
    ['not (n == 1)', [2, 3, 4]],
    ['n != 1 or n is null', [1, 2, 3, 4]],
    ['js["a"] > 5', [0]],
    ['js["a"]["b"][0] == "x"', [2]],
    ['js["a"] in [6, "x", 2.5]', [0, 1]],
    ['js["a"] == [1, 2]', [3]],
    ['js["a"] != 5', [0]],
    ['exists js["a"]', [0, 1, 2, 3]],
    ['exists js["e"]', []],
    ['js["a"] is null', [4]],
    ['color == "red"', [0]],
    ['$meta["color"] == "red"', [0]],
    ['price + 1 > 10', [0]],
    ['100 > price > 10', [0]],
    ['json_contains(js["t"], "a")', [0]],
    ['json_contains_all(js["t"], ["a", 1])', [0]],
    ['JSON_CONTAINS_ANY(js["t"], ["b", "a"])', [0]],
    ['array_contains(ai, 3)', [0]],
    ['not array_contains(ai, 3)', [1, 2, 3, 4]],
    ['array_contains_all(as, ["ax", "y"])', [0]],
    ['ai == [1, 2, 3]', [0]],
    ['ai == []', [1, 3, 4]],
    ['ai[0] > 1', [2]],
    ['1 <= ai[0] < 3', [0]],
    ['ai[0] in [1]', [0]],
    ['as[0] like "a%"', [0]],
    ['array_length(ai) >= 2', [0]],
    ['(i) > ((100))', [2]],
    ['i == 0x5 or i == 0b1001 or i == 07', [0, 1]],
    ['1 == 1', [0, 1, 2, 3, 4]],
    ['1 == 2', []],
    ['i == 9223372036854775807', [2]],
    ['i == -9223372036854775808', [3]],
    ['starts_with(s, "a")', [0, 1]],
    ['empty(s)', [4]],
  ])('%s', (filter, rows) => {
    expect(select(filter, ROWS)).toEqual(rows);
  });

  test.each([
    'i == 2.1',
    'i32 in [4.0]',
    'b',
    'not i > 5',
    'i like "1%"',
    'i * 3 + 1 == 7',
    '2 / i == 1',
    'i / 0 == 1',
    'i ** 2 > 9',
    '-i < 3',
    's == i',
    'n == null',
    'n in [1, NULL]',
    'exists js',
    'exists i',
    'json_contains_all(js["t"], 1)',
    'array_contains_any(as, ["x", 1])',
    'ai["0"] == 1',
    'array_length(ai) + 1 == 2',
    'i == {x}',
    '{a} == {b}',
    '"i" > 5',
    '1 < 3 < 2',
    'i = 1',
    'i > 9223372036854775808',
    'i > -9223372036854775809',
    'b < true',
    'v == 1',
    's == "a',
    's == "\\中"',
    's == "\\378"',
    'i in 5',
    '1 in i',
    'ai in [1]',
    'i ==',
    '(i == 1',
    'i == 1)',
    's like 5',
    'nosuch(i)',
    '[1,2] == [1,2]',
    'and',
  ])('%s is refused', (filter) => {
    let error: unknown;
    try {
      parseFilter(filter, SCHEMA);
    } catch (thrown) {
      error = thrown;
    }
    expect([codeOf(error), (error as { milvusCode?: number })?.milvusCode]).toEqual(['invalid', 1100]);
  });

  test.each(['s =~ "a"', '(i & 4) == 4', 'text_match(s, "a")', 'phrase_match(s, "a b")', 'random_sample(0.5)'])(
    '%s is not done yet, and says so',
    (filter) => {
      expect(() => parseFilter(filter, SCHEMA)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    },
  );

  test('a name that nothing has is an error without a dynamic field', () => {
    const strict = {
      ...SCHEMA,
      enableDynamicField: false,
      fields: SCHEMA.fields.filter(({ type }) => type !== 'JSON'),
    };
    expect(() => parseFilter('color == 1', strict)).toThrow(/field color not exist/);
  });

  test('templates stand where constants may', () => {
    expect(select('i > {min} and s in {names}', ROWS, { min: 3, names: ['abc', 'x'] })).toEqual([0]);
    expect(select('s like {p}', ROWS, { p: 'a%' })).toEqual([0, 1]);
    expect(select('i == {big}', ROWS, { big: 9223372036854775807n })).toEqual([2]);
    expect(() => parseFilter('i in {x}', SCHEMA, { x: [1, 2.5] })).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    );
    for (const bad of [null, {}, [], 2n ** 63n]) {
      expect(() => parseFilter('i == {x}', SCHEMA, { x: bad })).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });

  test('an error says where', () => {
    expect(() => parseFilter('i == 1 and\n  i ==', SCHEMA)).toThrow(/cannot parse expression: .* line 2:6/s);
  });

  test('what a delete and a plan ask of a filter', () => {
    const parse = (text: string): ReturnType<typeof parseFilter> => parseFilter(text, SCHEMA);
    expect(keysOf(parse('pk in [3, 1]'), 100)).toEqual([3n, 1n]);
    expect(keysOf(parse('pk == 3 or pk in [7]'), 100)).toEqual([3n, 7n]);
    expect(keysOf(parse('pk == 3 and i == 1'), 100)).toBeUndefined();
    expect(keysOf(parse('pk > 3'), 100)).toBeUndefined();
    expect(isAlwaysTrue(parse('1 == 1 or i > 3'))).toBe(true);
    expect(isAlwaysTrue(parse('i > 3'))).toBe(false);
    expect(
      fieldsOf(
        parse('i8 < i32 and js["a"] > array_length(ai) - 0 or s like "a%"'.replace(' > array_length(ai) - 0', ' > 1')),
      ),
    ).toEqual([102, 103, 108, 107]);
  });
});

describe('like', () => {
  const letter = fc.constantFrom('a', 'b', '𝄞', '%', '_');
  const text = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(''));

  test('agrees with the definition, piece by piece', () => {
    const matches = (pattern: string[], letters: string[]): boolean => {
      const [first, ...rest] = pattern;
      if (first === undefined) return letters.length === 0;
      if (first === '%') return matches(rest, letters) || (letters.length > 0 && matches(pattern, letters.slice(1)));
      return letters.length > 0 && (first === '_' || first === letters[0]) && matches(rest, letters.slice(1));
    };
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        expect(compileLike(pattern)(value)).toBe(matches([...pattern], [...value]));
      }),
      { numRuns: 3000 },
    );
  });

  test('a hostile pattern takes no time', () => {
    const pattern = `${'%a'.repeat(50)}b`;
    expect(compileLike(pattern)('a'.repeat(20_000))).toBe(false);
  });
});

describe('hostile filters', () => {
  const words = [
    'i',
    's',
    'js',
    '["a"]',
    'and',
    'or',
    'not',
    '(',
    ')',
    '[',
    ']',
    ',',
    '==',
    '<',
    'in',
    'like',
    '"x"',
    '1',
    '1.5',
    '-',
    '{x}',
    'is',
    'null',
    'exists',
    '+',
    '**',
    '$meta',
    '\\',
    '"',
    'array_length(',
  ];

  test('whatever is written, the answer is a filter or a typed error', () => {
    const fuzz = fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...words) }, fc.string()), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(fuzz, (parts) => {
        try {
          const expression = parseFilter(parts.join(' '), SCHEMA, { x: 1 });
          expect(evaluate(expression, columnsOf(ROWS), ROWS.length).length).toBe(ROWS.length);
        } catch (error) {
          expect(['invalid', 'unsupported'], parts.join(' ')).toContain(codeOf(error));
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('depth is bounded', () => {
    expect(() => parseFilter(`${'('.repeat(100_000)}i == 1${')'.repeat(100_000)}`, SCHEMA)).toThrow(/nests deeper/);
    expect(() => parseFilter(`${'not '.repeat(100_000)}true`, SCHEMA)).toThrow(/nests deeper/);
    const wide = Array.from({ length: 2_000 }, (_, value) => `i == ${value}`).join(' or ');
    expect(select(wide, ROWS)).toEqual([0, 1, 4]);
  });
});
