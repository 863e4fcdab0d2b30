import { decodeUtf8 } from '../base/bytes.ts';
import { fault, notYet } from './fault.ts';

export type Token =
  | { readonly kind: 'integer'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'float'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'name'; readonly value: string; readonly at: number }
  /** A symbol, or a keyword in lower case. */
  | { readonly kind: 'symbol'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly value: ''; readonly at: number };

interface Found {
  readonly token: Token;
  readonly end: number;
}

/** Milvus knows each in all-lower and in all-upper spelling; any other spelling is a name. */
const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'like', 'exists']);
const SPACE = /[ \t\r\n]*/y;
/** One token, in Milvus's grammar, with exactly one blank between its words. */
const IS_NULL = /(?:is null|IS NULL|is not null|IS NOT NULL)(?![A-Za-z0-9_])/y;
const NAME = /\$meta(?![A-Za-z0-9_])|[A-Za-z_][A-Za-z0-9_]*/y;
const FLOAT = /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+/y;
const HEX_FLOAT = /0[xX](?=[0-9a-fA-F.])([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d{1,6})/y;
/** A decimal integer that is nothing else, as nearly all numbers of long lists are. */
const PLAIN_INTEGER = /(?:0|[1-9]\d{0,17})(?![\w.])/y;
const INTEGER = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y;
const SYMBOL = /\*\*|==|!=|<=|>=|<<|>>|&&|\|\||=~|!~|[()[\]{},<>+\-*/%&|^~!=]/y;
const LETTER = /[A-Za-z_$]/;
const WORD = /[A-Za-z0-9_]/;
const ESCAPE = /\\(?:([nrtabfv?"'\\])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '?': '?',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/** Splits a filter into tokens, the last of which is the end. Throws `invalid` at what is no token. */
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

function nextToken(text: string, at: number): Found {
  const first = text[at] as string;
  if ((first === 'r' || first === 'R') && (text[at + 1] === '"' || text[at + 1] === "'")) return rawString(text, at);
  if (first === '"' || first === "'") return quotedString(text, at);
  if ((first >= '0' && first <= '9') || first === '.') return number(text, at);
  if (LETTER.test(first)) {
    const isNull = match(IS_NULL, text, at);
    if (isNull !== undefined) {
      return { token: { kind: 'symbol', value: isNull.toLowerCase(), at }, end: at + isNull.length };
    }
    const name = match(NAME, text, at);
    if (name !== undefined) return { token: word(name, at), end: at + name.length };
  }
  if (text.startsWith('$[', at)) throw notYet('elements of struct arrays ($[…])');
  const symbol = match(SYMBOL, text, at);
  if (symbol === undefined) throw fault(`token recognition error at: '${String.fromCodePoint(codeAt(text, at))}'`, at);
  return { token: { kind: 'symbol', value: symbol, at }, end: at + symbol.length };
}

function codeAt(text: string, at: number): number {
  return text.codePointAt(at) ?? 0;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function word(name: string, at: number): Token {
  const lower = name.toLowerCase();
  if (lower === 'null') return { kind: 'symbol', value: 'null', at };
  const isKeyword = KEYWORDS.has(lower) && (name === lower || name === name.toUpperCase());
  return isKeyword ? { kind: 'symbol', value: lower, at } : { kind: 'name', value: name, at };
}

function number(text: string, at: number): Found {
  const plain = match(PLAIN_INTEGER, text, at);
  if (plain !== undefined) return { token: { kind: 'integer', value: BigInt(plain), at }, end: at + plain.length };
  HEX_FLOAT.lastIndex = at;
  const hex = HEX_FLOAT.exec(text);
  const float = hex?.[0] ?? match(FLOAT, text, at);
  const digits = float ?? match(INTEGER, text, at);
  if (digits === undefined) throw fault(`token recognition error at: '${text[at]}'`, at);
  const end = at + digits.length;
  if (WORD.test(text[end] ?? '')) throw fault(`'${text.slice(at, end + 1)}' is not a number`, at);
  if (float === undefined) return { token: { kind: 'integer', value: integerOf(digits, at), at }, end };
  const value = hex === null ? Number(float) : hexFloat(hex);
  if (!Number.isFinite(value)) throw fault(`${digits} is beyond the range of a double`, at);
  return { token: { kind: 'float', value, at }, end };
}

/** A literal of more than 64 bits has more than 70 digits only with leading zeros: refused before it is parsed. */
function integerOf(digits: string, at: number): bigint {
  if (digits.length > 70) throw fault(`int64 overflow: ${digits.slice(0, 70)}…`, at);
  if (!/^0\d+$/.test(digits)) return BigInt(digits);
  if (/[89]/.test(digits)) throw fault(`'${digits}' is not an octal number`, at);
  return BigInt(`0o${digits.slice(1)}`);
}

function hexFloat([, whole = '', fraction = '', exponent = '0']: RegExpExecArray): number {
  const digits = (whole + fraction).slice(0, 60);
  const mantissa = digits === '' ? Number.NaN : Number(`0x${digits}`);
  return mantissa * 2 ** (Number(exponent) - 4 * Math.max(0, digits.length - whole.length));
}

/** The text between the quotes as it is; a backslash only keeps the quote after it from ending the string. */
function rawString(text: string, at: number): Found {
  const quote = text[at + 1] as string;
  let end = at + 2;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) throw fault('a raw string does not end', at);
  return { token: { kind: 'string', value: text.slice(at + 2, end), at }, end: end + 1 };
}

function quotedString(text: string, start: number): Found {
  const quote = text[start] as string;
  let value = '';
  /** Escapes above `\x7f` are bytes of UTF-8, as Go reads them: they wait here until their character is whole. */
  let bytes: number[] = [];
  let at = start + 1;
  while (at < text.length) {
    const letter = text[at] as string;
    if (letter === '\n' || letter === '\r') break;
    let found: Escaped | undefined;
    if (letter === '\\') found = escaped(text, at);
    if (found?.byte !== undefined) {
      bytes.push(found.byte);
    } else {
      if (bytes.length > 0) {
        value += textOf(bytes, start);
        bytes = [];
      }
      if (letter === quote) return { token: { kind: 'string', value, at: start }, end: at + 1 };
      value += found?.character ?? letter;
    }
    at += found?.length ?? 1;
  }
  throw fault('a string does not end', start);
}

interface Escaped {
  readonly length: number;
  readonly character?: string;
  readonly byte?: number;
}

function escaped(text: string, at: number): Escaped {
  ESCAPE.lastIndex = at;
  const [all, simple, hex, octal, short, long] = ESCAPE.exec(text) ?? [];
  if (all === undefined) throw fault(`there is no escape ${text.slice(at, at + 2)} in a string`, at);
  const { length } = all;
  if (simple !== undefined) return { length, character: SIMPLE_ESCAPES[simple] ?? simple };
  const code = Number.parseInt(hex ?? octal ?? short ?? long ?? '', octal === undefined ? 16 : 8);
  if ((hex ?? octal) !== undefined && code > 0x7f) return { length, byte: code };
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw fault(`there is no character ${all}`, at);
  return { length, character: String.fromCodePoint(code) };
}

function textOf(bytes: readonly number[], at: number): string {
  try {
    return decodeUtf8(Uint8Array.from(bytes));
  } catch {
    throw fault('the escaped bytes of a string are not UTF-8', at);
  }
}
