import { utf8Length } from '../base/utf8-length.ts';
import { EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX } from '../model/limits.ts';
import { fault, notYet } from './fault.ts';
import type { BinaryOperator, PathSyntax, Syntax, UnaryOperator } from './syntax.ts';
import { type Token, tokenize } from './tokenizer.ts';

/** How tightly each operator binds, as Milvus's grammar orders them; all are left-associative. */
const POWERS: Readonly<Record<string, number>> = {
  ...{ or: 1, '||': 1, and: 2, '&&': 2, '|': 3, '^': 4, '&': 5, '==': 6, '!=': 6 },
  ...{ '<': 7, '<=': 7, '>': 7, '>=': 7, in: 9, not: 9, '<<': 10, '>>': 10, '+': 11, '-': 11 },
  ...{ '*': 12, '/': 12, '%': 12, '**': 14, '!~': 15, '=~': 16, like: 17 },
};
/** Of `not ! - + ~`: tighter than every operator but these after it, so that `not a == 1` is `(not a) == 1`. */
const UNARY_POWER = 13;
const EXISTS_POWER = 18;
const OR_POWER = 1;
const UNARY: Readonly<Record<string, UnaryOperator>> = { not: 'not', '!': 'not', '-': '-', '+': '+', '~': '~' };
const BOOLEANS: ReadonlySet<string> = new Set(['true', 'TRUE', 'True', 'false', 'FALSE', 'False']);
const IS_NULL: ReadonlySet<string> = new Set(['is null', 'is not null']);
type Order = '<' | '<=' | '>' | '>=';
const SAME_WAY: Readonly<Record<string, readonly string[]>> = {
  '<': ['<', '<='],
  '<=': ['<', '<='],
  '>': ['>', '>='],
  '>=': ['>', '>='],
};

/**
 * Parses a filter by the precedence of Milvus's `Plan.g4`: `not` binds tighter than a comparison, `like` and `exists`
 * tighter than `not`, and `is null` belongs to a name.
 *
 * Throws `invalid` with the offset of the fault, also for a text that is longer than `EXPRESSION_BYTES_MAX` or nests
 * deeper than `EXPRESSION_DEPTH_MAX`; `unsupported` for the forms of Milvus's language that are not done yet.
 */
export function parseSyntax(text: string): Syntax {
  if (text.length > EXPRESSION_BYTES_MAX || utf8Length(text) > EXPRESSION_BYTES_MAX) {
    throw fault(`the expression is longer than ${EXPRESSION_BYTES_MAX} bytes`, 0);
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  /** How deep the parser is in the text now: its own stack. */
  #depth = 0;
  /** How deep the expression is that was parsed last: the stack of who walks it. A chain of operators is deep, too. */
  #height = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Syntax {
    const syntax = this.#expression(OR_POWER);
    const token = this.#peek();
    if (token.kind !== 'end') throw this.#unexpected(token);
    return syntax;
  }

  #peek(ahead: number = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #is(value: string, ahead: number = 0): boolean {
    const token = this.#peek(ahead);
    return token.kind === 'symbol' && token.value === value;
  }

  #take(value: string): boolean {
    if (!this.#is(value)) return false;
    this.#next += 1;
    return true;
  }

  #expect(value: string): void {
    if (!this.#take(value)) throw this.#unexpected(this.#peek(), ` expecting '${value}'`);
  }

  #unexpected(token: Token, more = ''): Error {
    if (token.kind === 'symbol' && token.value === 'null') {
      return fault('NULL literal is not supported in expressions, use IS NULL or IS NOT NULL', token.at);
    }
    const shown = token.kind === 'end' ? '<EOF>' : this.#text.slice(token.at, this.#peekEnd(token));
    return fault(`mismatched input '${shown}'${more}`, token.at);
  }

  #peekEnd(token: Token): number {
    return token.kind === 'symbol' || token.kind === 'name' ? token.at + token.value.length : token.at + 20;
  }

  #deeper<Result>(parse: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(this.#peek().at);
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #rise(height: number, at: number): void {
    this.#height = height + 1;
    if (this.#height > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(at);
  }

  #tooDeep(at: number): Error {
    return fault(`the expression nests deeper than ${EXPRESSION_DEPTH_MAX}`, at);
  }

  /** Everything from here on whose operators bind at least as tightly as `power`. */
  #expression(power: number): Syntax {
    let left = this.#prefix();
    for (;;) {
      const token = this.#peek();
      const binds = token.kind === 'symbol' ? (POWERS[token.value] ?? 0) : 0;
      if (binds === 0 || binds < power) return left;
      if (token.value === 'not' && !this.#is('in', 1)) return left;
      const leftHeight = this.#height;
      left = binds <= 2 ? this.#junction(left, binds, token.at) : this.#binary(left, String(token.value), binds);
      this.#rise(Math.max(leftHeight, this.#height), token.at);
    }
  }

  #junction(first: Syntax, power: number, at: number): Syntax {
    const [word, sign] = power === OR_POWER ? (['or', '||'] as const) : (['and', '&&'] as const);
    const of = [first];
    let height = this.#height;
    while (this.#take(word) || this.#take(sign)) {
      of.push(this.#expression(power + 1));
      height = Math.max(height, this.#height);
    }
    this.#height = height;
    return { kind: 'junction', operator: word, of, at };
  }

  #binary(left: Syntax, symbol: string, power: number): Syntax {
    const { at } = this.#peek();
    this.#next += symbol === 'not' ? 2 : 1;
    const operator = (symbol === 'not' ? 'not in' : symbol) as BinaryOperator;
    const right = this.#deeper(() => this.#expression(power + 1));
    const sameWay = SAME_WAY[operator];
    const token = this.#peek();
    // `a < b < c` is one range if a name stands in the middle; otherwise it compares what the first comparison gave.
    if (right.kind === 'path' && token.kind === 'symbol' && sameWay?.includes(token.value)) {
      this.#next += 1;
      const height = this.#height;
      const second = this.#deeper(() => this.#expression(power + 1));
      this.#height = Math.max(height, this.#height);
      const [firstOperator, secondOperator] = [operator as Order, token.value as Order];
      return { kind: 'range', first: left, firstOperator, of: right, secondOperator, second, at };
    }
    return { kind: 'binary', operator, left, right, at };
  }

  #prefix(): Syntax {
    const token = this.#peek();
    const operator = token.kind === 'symbol' ? UNARY[token.value] : undefined;
    if (operator === undefined && !this.#is('exists')) return this.#primary();
    this.#next += 1;
    const of = this.#deeper(() => this.#expression(operator === undefined ? EXISTS_POWER : UNARY_POWER));
    this.#rise(this.#height, token.at);
    return { kind: 'unary', operator: operator ?? 'exists', of, at: token.at };
  }

  #primary(): Syntax {
    const token = this.#peek();
    const { at } = token;
    this.#height = 1;
    this.#next += 1;
    switch (token.kind) {
      case 'integer':
        return { kind: 'integer', value: token.value, at };
      case 'float':
        return { kind: 'float', value: token.value, at };
      case 'string':
        return { kind: 'string', value: token.value, at };
      case 'name':
        return this.#name(token.value, at);
      case 'end':
        throw this.#unexpected(token);
      case 'symbol':
        return this.#bracketed(token, at);
    }
  }

  #bracketed(token: Token, at: number): Syntax {
    if (token.value === '(') {
      const inner = this.#deeper(() => this.#expression(OR_POWER));
      this.#expect(')');
      return inner;
    }
    if (token.value === '[') return { kind: 'list', items: this.#items(']'), at };
    if (token.value !== '{') throw this.#unexpected(token);
    const name = this.#peek();
    if (name.kind !== 'name') throw this.#unexpected(name, ' expecting the name of a template variable');
    this.#next += 1;
    this.#expect('}');
    return { kind: 'variable', name: name.value, at };
  }

  #name(name: string, at: number): Syntax {
    if (BOOLEANS.has(name)) return { kind: 'boolean', value: name.toLowerCase() === 'true', at };
    if (this.#peek().kind === 'string' && /^(?:iso|interval)$/i.test(name)) throw notYet('times (ISO, INTERVAL)');
    if (this.#take('(')) return { kind: 'call', name, args: this.#items(')'), at };
    const path = this.#path(name, at);
    const token = this.#peek();
    if (token.kind !== 'symbol' || !IS_NULL.has(token.value)) return path;
    this.#next += 1;
    return { kind: 'is-null', of: path, negated: token.value === 'is not null', at };
  }

  #path(name: string, at: number): PathSyntax {
    const steps: (string | number)[] = [];
    while (this.#take('[')) {
      const step = this.#peek();
      if (step.kind === 'string') steps.push(step.value);
      else if (step.kind === 'integer') steps.push(Number(step.value));
      else if (step.kind === 'name') throw notYet('struct arrays');
      else throw this.#unexpected(step, ' expecting a key or an index');
      this.#next += 1;
      this.#expect(']');
    }
    return { kind: 'path', name, steps, at };
  }

  /** Items up to `end`; a comma may follow the last. `name = value` among them belongs to functions of later. */
  #items(end: ')' | ']'): Syntax[] {
    const items: Syntax[] = [];
    let height = 0;
    while (!this.#take(end)) {
      if (end === ')' && this.#peek().kind === 'name' && this.#is('=', 1)) throw notYet('named arguments of functions');
      items.push(this.#deeper(() => this.#expression(OR_POWER)));
      height = Math.max(height, this.#height);
      if (this.#take(',')) continue;
      this.#expect(end);
      break;
    }
    this.#rise(height, this.#peek().at);
    return items;
  }
}
