import { ElanusError } from '../base/error.ts';

export type Token =
  | { readonly kind: 'integer'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'float'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'name'; readonly value: string; readonly at: number }
  /** A keyword in lower case; Milvus knows each in all-lower and all-upper spelling. */
  | { readonly kind: 'keyword'; readonly value: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly value: ''; readonly at: number };

const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'like', 'exists', 'is', 'null']);
const SYMBOLS: readonly string[] = [
  '**', '==', '!=', '<=', '>=', '<<', '>>', '&&', '||', '=~', '!~',
  '(', ')', '[', ']', '{', '}', ',', '<', '>', '+', '-', '*', '/', '%', '&', '|', '^', '~', '!', '=',
];
const SPACE = /\s*/y;
const NAME = /\$meta|[A-Za-z_][A-Za-z0-9_]*/y;
const FLOAT = /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+/y;
const INTEGER = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y;
const ESCAPE = /\\(?:([nrtabfv?"'\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3]?[0-7]{1,2}))/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v', '?': '?', '"': '"', "'": "'", '\\': '\\',
};

/** The error of a filter that is not one, in Milvus's form; `at` is the offset in the text. */
export function syntaxError(text: string, at: number, what: string): ElanusError {
  const before = text.slice(0, at).split('\n');
  const line = before.length;
  const column = before.at(-1)?.length ?? 0;
  return new ElanusError('invalid', `cannot parse expression: ${text}, error: line ${line}:${column} ${what}`, {
    milvusCode: 1100,
    details: { line, column },
  });
}

/** Splits a filter into tokens, the last of which is the end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, text, at)?.length ?? 0;
    if (at >= text.length) {
      tokens.push({ kind: 'end', value: '', at });
      return tokens;
    }
    const { token, end } = nextToken(text, at);
    tokens.push(token);
    at = end;
  }
}

function nextToken(text: string, at: number): { token: Token; end: number } {
  const first = text[at] as string;
  if ((first === 'r' || first === 'R') && (text[at + 1] === '"' || text[at + 1] === "'")) return rawString(text, at);
  if (first === '"' || first === "'") return quotedString(text, at);
  const name = match(NAME, text, at);
  if (name !== undefined) return { token: word(name, at), end: at + name.length };
  const float = match(FLOAT, text, at);
  if (float !== undefined) return { token: { kind: 'float', value: Number(float), at }, end: at + float.length };
  const integer = match(INTEGER, text, at);
  if (integer !== undefined) {
    if (/[A-Za-z0-9_]/.test(text[at + integer.length] ?? '')) throw syntaxError(text, at, `bad number near '${integer}'`);
    return { token: { kind: 'integer', value: integerOf(integer, text, at), at }, end: at + integer.length };
  }
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
  if (symbol === undefined) throw syntaxError(text, at, `token recognition error at: '${first}'`);
  return { token: { kind: 'symbol', value: symbol, at }, end: at + symbol.length };
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function word(name: string, at: number): Token {
  const lower = name.toLowerCase();
  if (lower === 'null') return { kind: 'keyword', value: 'null', at };
  if (KEYWORDS.has(lower) && (name === lower || name === name.toUpperCase())) return { kind: 'keyword', value: lower, at };
  return { kind: 'name', value: name, at };
}

function integerOf(digits: string, text: string, at: number): bigint {
  if (!/^0\d+$/.test(digits)) return BigInt(digits);
  if (/[89]/.test(digits)) throw syntaxError(text, at, `'${digits}' is not an octal number`);
  return BigInt(`0o${digits.slice(1)}`);
}

function rawString(text: string, at: number): { token: Token; end: number } {
  const quote = text[at + 1] as string;
  let end = at + 2;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) throw syntaxError(text, at, 'a raw string does not end');
  return { token: { kind: 'string', value: text.slice(at + 2, end), at }, end: end + 1 };
}

function quotedString(text: string, start: number): { token: Token; end: number } {
  const quote = text[start] as string;
  let value = '';
  let at = start + 1;
  while (at < text.length) {
    const letter = text[at] as string;
    if (letter === quote) return { token: { kind: 'string', value, at: start }, end: at + 1 };
    if (letter === '\n' || letter === '\r') break;
    if (letter !== '\\') {
      value += letter;
      at += 1;
      continue;
    }
    ESCAPE.lastIndex = at;
    const escape = ESCAPE.exec(text);
    if (escape === null) throw syntaxError(text, at, `there is no escape ${text.slice(at, at + 2)} in a string`);
    value += unescape(escape, text, at);
    at += escape[0].length;
  }
  throw syntaxError(text, start, 'a string does not end');
}

function unescape(escape: RegExpExecArray, text: string, at: number): string {
  const [, simple, hex, short, long, octal] = escape;
  if (simple !== undefined) return SIMPLE_ESCAPES[simple] as string;
  const code = Number.parseInt(octal ?? hex ?? short ?? long ?? '', octal === undefined ? 16 : 8);
  if (code > 0x10ffff) throw syntaxError(text, at, `there is no character ${escape[0]}`);
  return String.fromCodePoint(code);
}
