import { EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX } from '../model/limits.ts';
import type { Syntax } from './syntax.ts';
import { syntaxError, type Token, tokenize } from './tokenizer.ts';

/** Binary operators by how tightly they bind, as Milvus's grammar orders them; all are left-associative. */
const LEVELS: readonly (readonly string[])[] = [
  ['or', '||'],
  ['and', '&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['in'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const RANGE_LEVEL = 6;
const IN_LEVEL = 7;
const ASCENDING: ReadonlySet<string> = new Set(['<', '<=']);
const DESCENDING: ReadonlySet<string> = new Set(['>', '>=']);

/**
 * Parses a filter by the precedence of Milvus's `Plan.g4`: `not` binds tighter than a comparison, `like` and `exists`
 * tighter than `not`, and `is null` belongs to a name.
 *
 * Throws `invalid` (Milvus 1100) with the line and column of the fault.
 */
export function parseSyntax(text: string): Syntax {
  if (text.length > EXPRESSION_BYTES_MAX) {
    throw syntaxError('…', 0, `the expression has ${text.length} characters, more than ${EXPRESSION_BYTES_MAX}`);
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Syntax {
    const syntax = this.#binary(0);
    const token = this.#peek();
    if (token.kind !== 'end') throw this.#unexpected(token);
    return syntax;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #is(...values: readonly string[]): boolean {
    const token = this.#peek();
    return (token.kind === 'symbol' || token.kind === 'keyword') && values.includes(token.value);
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
    const shown = token.kind === 'end' ? '<EOF>' : this.#text.slice(token.at, token.at + 20);
    return syntaxError(this.#text, token.at, `mismatched input '${shown}'${more}`);
  }

  #deeper<Result>(at: number, parse: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > EXPRESSION_DEPTH_MAX) {
      throw syntaxError(this.#text, at, `the expression nests deeper than ${EXPRESSION_DEPTH_MAX}`);
    }
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #binary(level: number): Syntax {
    if (level === LEVELS.length) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peek();
      if (level === IN_LEVEL && this.#is('not')) {
        const after = this.#tokens[this.#next + 1];
        if (after?.kind !== 'keyword' || after.value !== 'in') return left;
        this.#next += 2;
        left = { kind: 'binary', operator: 'not in', left, right: this.#binary(level + 1), at: token.at };
        continue;
      }
      if (!this.#is(...(LEVELS[level] as readonly string[]))) return left;
      this.#next += 1;
      const operator = token.value === '&&' ? 'and' : token.value === '||' ? 'or' : String(token.value);
      const right = this.#binary(level + 1);
      left = this.#joined(level, operator, left, right, token.at);
    }
  }

  /** `a < b < c` is one range, whose operators point the same way. */
  #joined(level: number, operator: string, left: Syntax, right: Syntax, at: number): Syntax {
    if (level !== RANGE_LEVEL) return { kind: 'binary', operator, left, right, at };
    const token = this.#peek();
    const sameWay = ASCENDING.has(operator) ? this.#is(...ASCENDING) : DESCENDING.has(operator) && this.#is(...DESCENDING);
    if (!sameWay) return { kind: 'binary', operator, left, right, at };
    this.#next += 1;
    const second = this.#binary(level + 1);
    return { kind: 'range', first: left, firstOperator: operator, of: right, secondOperator: String(token.value), second, at };
  }

  #unary(): Syntax {
    const token = this.#peek();
    for (const [symbol, operator] of [['!', 'not'], ['not', 'not'], ['-', '-'], ['+', '+'], ['~', '~']] as const) {
      if (!this.#take(symbol)) continue;
      const of = this.#deeper(token.at, () => this.#unary());
      return { kind: 'unary', operator, of, at: token.at };
    }
    const base = this.#postfix();
    const power = this.#peek();
    if (!this.#take('**')) return base;
    const right = this.#deeper(power.at, () => this.#unary());
    return { kind: 'binary', operator: '**', left: base, right, at: power.at };
  }

  #postfix(): Syntax {
    const token = this.#peek();
    if (this.#take('exists')) {
      return { kind: 'unary', operator: 'exists', of: this.#deeper(token.at, () => this.#primary()), at: token.at };
    }
    const base = this.#primary();
    const after = this.#peek();
    for (const operator of ['like', '=~', '!~']) {
      if (this.#take(operator)) return { kind: 'binary', operator, left: base, right: this.#primary(), at: after.at };
    }
    if (!this.#take('is')) return base;
    const negated = this.#take('not');
    this.#expect('null');
    return { kind: 'is-null', of: base, negated, at: after.at };
  }

  #primary(): Syntax {
    const token = this.#peek();
    const { at } = token;
    switch (token.kind) {
      case 'integer':
        this.#next += 1;
        return { kind: 'integer', value: token.value, at };
      case 'float':
        this.#next += 1;
        return { kind: 'float', value: token.value, at };
      case 'string':
        this.#next += 1;
        return { kind: 'string', value: token.value, at };
      case 'name':
        this.#next += 1;
        return this.#name(token.value, at);
      default:
        break;
    }
    if (this.#take('(')) {
      const inner = this.#deeper(at, () => this.#binary(0));
      this.#expect(')');
      return inner;
    }
    if (this.#take('[')) return { kind: 'list', items: this.#items(at, ']'), at };
    if (this.#take('{')) {
      const name = this.#peek();
      if (name.kind !== 'name') throw this.#unexpected(name, ' expecting the name of a template variable');
      this.#next += 1;
      this.#expect('}');
      return { kind: 'variable', name: name.value, at };
    }
    if (this.#is('null')) {
      throw syntaxError(this.#text, at, 'NULL literal is not supported in expressions, use IS NULL or IS NOT NULL');
    }
    throw this.#unexpected(token);
  }

  #name(name: string, at: number): Syntax {
    if (['true', 'TRUE', 'True'].includes(name)) return { kind: 'boolean', value: true, at };
    if (['false', 'FALSE', 'False'].includes(name)) return { kind: 'boolean', value: false, at };
    if (this.#take('(')) return { kind: 'call', name, args: this.#items(at, ')'), at };
    const steps: (string | number)[] = [];
    while (this.#take('[')) {
      const step = this.#peek();
      if (step.kind === 'string') steps.push(step.value);
      else if (step.kind === 'integer') steps.push(Number(step.value));
      else throw this.#unexpected(step, ' expecting a key or an index');
      this.#next += 1;
      this.#expect(']');
    }
    return { kind: 'path', name, steps, at };
  }

  /** Items up to `end`; a comma may follow the last. */
  #items(at: number, end: string): Syntax[] {
    const items: Syntax[] = [];
    while (!this.#take(end)) {
      items.push(this.#deeper(at, () => this.#binary(0)));
      if (this.#take(',')) continue;
      this.#expect(end);
      break;
    }
    return items;
  }
}
