import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { EXPRESSION_BYTES_MAX } from '../../../core/model/limits.ts';
import { parseSyntax } from '../../../core/query/parser.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import type { BinaryOperator, PathSyntax, Syntax, UnaryOperator } from '../../../core/query/syntax.ts';
import { SCHEMA } from './schema.ts';

/** The precedence table of the language's specification, written down a second time: larger binds tighter. */
const BINDS: Readonly<Record<BinaryOperator | 'or' | 'and', number>> = {
  ...{ or: 1, and: 2, '|': 3, '^': 4, '&': 5, '==': 6, '!=': 6, '<': 7, '<=': 7, '>': 7, '>=': 7 },
  ...{ in: 9, 'not in': 9, '<<': 10, '>>': 10, '+': 11, '-': 11, '*': 12, '/': 12, '%': 12 },
  ...{ '**': 14, '!~': 15, '=~': 16, like: 17 },
};
const RANGE = 8;
const UNARY = 13;
const EXISTS = 18;
const PRIMARY = 19;

/** A syntax tree as text, with only the parentheses that precedence asks for; blanks come from `space`. */
function print(syntax: Syntax, space: string): string {
  return printed(syntax, space).text;
}

function printed(syntax: Syntax, space: string): { text: string; binds: number } {
  const wrap = (inner: Syntax, least: number): string => {
    const { text, binds } = printed(inner, space);
    return binds < least ? `(${space}${text}${space})` : text;
  };
  switch (syntax.kind) {
    case 'integer':
    case 'boolean':
      return { text: String(syntax.value), binds: PRIMARY };
    case 'float':
      return { text: Number.isInteger(syntax.value) ? `${syntax.value}.0` : String(syntax.value), binds: PRIMARY };
    case 'string':
      return { text: quoted(syntax.value), binds: PRIMARY };
    case 'list':
      return { text: `[${syntax.items.map((item) => wrap(item, 0)).join(`,${space}`)}]`, binds: PRIMARY };
    case 'variable':
      return { text: `{${syntax.name}}`, binds: PRIMARY };
    case 'path':
      return { text: path(syntax), binds: PRIMARY };
    case 'call':
      return { text: `${syntax.name}(${syntax.args.map((item) => wrap(item, 0)).join(',')})`, binds: PRIMARY };
    case 'is-null':
      return { text: `${path(syntax.of)} is ${syntax.negated ? 'not ' : ''}null`, binds: PRIMARY };
    case 'unary': {
      const binds = syntax.operator === 'exists' ? EXISTS : UNARY;
      // Inside another operator a prefix is wrapped: where it may stand bare is shown by examples.
      return { text: `${syntax.operator} ${wrap(syntax.of, binds)}`, binds: syntax.operator === 'exists' ? binds : 0 };
    }
    case 'binary': {
      const binds = BINDS[syntax.operator];
      return { text: `${wrap(syntax.left, binds)} ${syntax.operator} ${wrap(syntax.right, binds + 1)}`, binds };
    }
    case 'junction': {
      const binds = BINDS[syntax.operator];
      const text = syntax.of.map((part) => wrap(part, binds + 1)).join(` ${syntax.operator}${space} `);
      return { text, binds };
    }
    case 'range': {
      const [first, second] = [wrap(syntax.first, RANGE + 1), wrap(syntax.second, RANGE + 1)];
      const text = `${first} ${syntax.firstOperator} ${path(syntax.of)} ${syntax.secondOperator} ${second}`;
      return { text, binds: RANGE - 1 };
    }
  }
}

function path({ name, steps }: PathSyntax): string {
  return name + steps.map((step) => `[${typeof step === 'number' ? step : quoted(step)}]`).join('');
}

function quoted(value: string): string {
  const escaped = value.replaceAll(/["\\\p{Cc}]/gu, (letter) => {
    return letter === '"' || letter === '\\'
      ? `\\${letter}`
      : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** Without offsets, which the text decides. */
function bare(syntax: unknown): unknown {
  return JSON.parse(
    JSON.stringify(syntax, (key, value: unknown) =>
      key === 'at' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
    ),
  );
}

const at = 0;
const name = fc.constantFrom('a', 'b1', '_c', 'is', 'And', 'nulls', 'inner', '$meta');
const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
const pathSyntax: fc.Arbitrary<PathSyntax> = fc.record({
  kind: fc.constant('path' as const),
  name,
  steps: fc.array(fc.oneof(fc.nat(), text), { maxLength: 2 }),
  at: fc.constant(at),
});
const order = fc.constantFrom('<' as const, '<=' as const);

const { syntax } = fc.letrec<{ syntax: Syntax }>((tie) => {
  const inner = tie('syntax');
  return {
    syntax: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      pathSyntax,
      fc.bigInt({ min: 0n, max: 2n ** 63n }).map((value): Syntax => ({ kind: 'integer', value, at })),
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value): Syntax => {
        return { kind: 'float', value: value + 0.5 === value ? 0.25 : value, at };
      }),
      text.map((value): Syntax => ({ kind: 'string', value, at })),
      fc.boolean().map((value): Syntax => ({ kind: 'boolean', value, at })),
      fc.constant<Syntax>({ kind: 'variable', name: 'x', at }),
      fc.tuple(pathSyntax, fc.boolean()).map(([of, negated]): Syntax => ({ kind: 'is-null', of, negated, at })),
      fc.array(inner, { maxLength: 3 }).map((items): Syntax => ({ kind: 'list', items, at })),
      fc.array(inner, { maxLength: 3 }).map((args): Syntax => ({ kind: 'call', name: 'f', args, at })),
      fc
        .tuple(fc.constantFrom<UnaryOperator[]>('not', '-', '+', '~', 'exists'), inner)
        .map(([operator, of]): Syntax => ({ kind: 'unary', operator, of, at })),
      fc
        .tuple(
          fc.constantFrom(...(Object.keys(BINDS).filter((key) => key !== 'or' && key !== 'and') as BinaryOperator[])),
          inner,
          inner,
        )
        // `a < b < c` would be read as a range.
        .filter(([operator, left]) => BINDS[operator] !== 7 || left.kind !== 'binary' || BINDS[left.operator] !== 7)
        .map(([operator, left, right]): Syntax => ({ kind: 'binary', operator, left, right, at })),
      fc
        .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(inner, { minLength: 2, maxLength: 4 }))
        .map(([operator, of]): Syntax => ({ kind: 'junction', operator, of, at })),
      fc.tuple(inner, order, pathSyntax, order, inner).map(
        ([first, firstOperator, of, secondOperator, second]): Syntax => ({
          kind: 'range',
          first,
          firstOperator,
          of,
          secondOperator,
          second,
          at,
        }),
      ),
    ),
  };
});

describe('the parser', () => {
  test('reads back every syntax tree from its text with no more parentheses than precedence asks for', () => {
    fc.assert(
      fc.property(syntax, fc.constantFrom('', ' ', '\n\t'), (tree, space) => {
        const written = print(tree, space);
        expect(bare(parseSyntax(written)), written).toEqual(bare(tree));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['a == 1 or b == 2 and c == 3', 'a == 1 or (b == 2 and c == 3)'],
    ['not a == 1', '(not a) == 1'],
    ['not a like "x"', 'not (a like "x")'],
    ['not exists a', 'not (exists a)'],
    ['a & 4 == 4', 'a & (4 == 4)'],
    ['2 ** -1 == 0.5', '(2 ** (-1)) == 0.5'],
    ['2 ** 3 ** 2', '(2 ** 3) ** 2'],
    ['-2 ** 2', '-(2 ** 2)'],
    ['1 - 2 - 3', '(1 - 2) - 3'],
    ['1 + 2 * 3', '1 + (2 * 3)'],
    ['a in [1] == true', '(a in [1]) == true'],
    ['1 < a == true', '(1 < a) == true'],
    ['a - 1 << 2 < 3', '((a - 1) << 2) < 3'],
    ['a | b ^ c & d', 'a | (b ^ (c & d))'],
    ['a && b || c && d', '(a and b) or (c and d)'],
    ['- - 1', '-(-1)'],
  ])('reads %s as %s', (short, explicit) => {
    expect(bare(parseSyntax(short))).toEqual(bare(parseSyntax(explicit)));
  });

  test('a filter of any width has a bounded depth, and one that is deep or long is refused', () => {
    const repeat = (part: string, count: number): string => part.repeat(count);
    for (const deep of [
      `${repeat('(', 5000)}i == 1${repeat(')', 5000)}`,
      `${repeat('not ', 5000)}(i == 1)`,
      `${repeat('-', 5000)}1 == i`,
      `i == 1${repeat(' + 1', 5000)}`,
      `i == ${repeat('[', 5000)}${repeat(']', 5000)}`,
      `${repeat('f(', 5000)}1${repeat(')', 5000)}`,
      `i == ${repeat('(1 + ', 150)}1${repeat(')', 150)}${repeat(' + 1', 150)}`,
      repeat('(a == 1 or b == 1 and ', 300),
    ]) {
      expect(() => parseFilter(deep, SCHEMA)).toThrow(/nests deeper than 200/);
    }
    expect(() => parseFilter(`s == "${repeat('中', EXPRESSION_BYTES_MAX / 2)}"`, SCHEMA)).toThrow(/is longer than/);
    const wide = `i == 1${repeat(' or i == 2', 50_000)}`;
    expect(parseFilter(wide, SCHEMA)).toMatchObject({ kind: 'or' });
  });

  test('any change to a filter leaves a filter or a typed error', () => {
    const filters = fc.constantFrom(
      'not (i > 5) and s like r"50\\%%" or js["a"]["b"][0] in [1, "x", 2.5]',
      '3 < i <= 9 && array_contains_any(as, ["x", "y"]) || n is not null',
      'price + 1 > {x} and exists $meta["a"] and i == -9223372036854775808 or s == "\\u0041\\xe4\\xb8\\xad"',
    );
    const edit = fc.record({ from: fc.nat(100), length: fc.nat(6), text: fc.string({ unit: 'binary', maxLength: 4 }) });
    fc.assert(
      fc.property(filters, fc.array(edit, { minLength: 1, maxLength: 3 }), (filter, edits) => {
        let changed = filter;
        for (const { from, length, text } of edits)
          changed = changed.slice(0, from) + text + changed.slice(from + length);
        try {
          structuredClone(parseFilter(changed, SCHEMA, { x: 1.5 }));
        } catch (error) {
          expect(['invalid', 'unsupported'], changed).toContain(codeOf(error));
        }
      }),
      { numRuns: 5000 },
    );
  });
});
