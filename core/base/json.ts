import { ElanusError } from './error.ts';
import { shortestFloat32 } from './float32.ts';

/*
 * JSON that keeps 64-bit integers. `JSON.parse` reads every number as a double; here an integer beyond 2^53 becomes a
 * bigint, exactly. A text without a run of sixteen digits that stands where an integer may stand has no such integer,
 * and costs nothing but the look: long fractions, as vectors have them, are not such runs.
 */

const LONG_INTEGER = /(?:^|[\s,:[-])\d{16,}(?=[\s,\]}]|$)/;
const INTEGER = /^-?\d+$/;

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

let sourceIsGiven: boolean | undefined;

/** Whether the host tells revivers the text of a number (ES2026; Node 22, workerd, Chrome, newer Safari and Firefox). */
function hasSource(): boolean {
  if (sourceIsGiven === undefined) {
    parseWithSource('1', (_, value, context) => {
      sourceIsGiven = context?.source === '1';
      return value;
    });
  }
  return sourceIsGiven === true;
}

/**
 * Parses JSON; integers beyond ±(2^53 − 1) that are written without fraction and exponent become bigint, all other
 * numbers are numbers. Throws `SyntaxError` as `JSON.parse` does.
 */
export function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  if (!hasSource()) return parseMarked(text);
  return parseWithSource(text, (_, value, context) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context.source !== undefined && INTEGER.test(context.source) ? BigInt(context.source) : value;
  });
}

const MARK = '\u0000';
/** A string with what follows it if it is a key, or a number. The string's loop is unrolled: it may be megabytes long. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * `parseJson` for hosts that give revivers no source: long integers become strings that begin with a mark, strings that
 * begin with the mark themselves get a second one, keys stay as they are; a reviver takes the marks away again.
 */
export function parseMarked(text: string): unknown {
  // What is not JSON is refused as it is, before anything in it is replaced.
  JSON.parse(text);
  const marked = text.replace(STRING_OR_NUMBER, (token, colon: string | undefined) => {
    if (token.startsWith('"')) {
      return colon === undefined && token.startsWith('\\u0000', 1) ? `"\\u0000${token.slice(1)}` : token;
    }
    return INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"\\u0000${token}"` : token;
  });
  return JSON.parse(marked, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    return value.startsWith(MARK, 1) ? value.slice(1) : BigInt(value.slice(1));
  });
}

/**
 * Writes JSON; a bigint as its digits, a Float32Array as an array of the shortest decimals of its values, other typed
 * arrays as arrays. `undefined` in an object is left out. Throws `invalid` for what JSON cannot hold.
 */
export function stringifyJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      // An integer beyond 2^53 would be read back as a bigint: with an exponent it stays a number.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
      if (Number.isFinite(value)) return String(value);
      throw new ElanusError('invalid', `${value} cannot be written as JSON.`);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : stringifyObject(value);
    default:
      throw new ElanusError('invalid', `A ${typeof value} cannot be written as JSON.`);
  }
}

function stringifyObject(value: object): string {
  if (value instanceof Float32Array) {
    let text = '';
    for (let at = 0; at < value.length; at++) {
      const item = value[at] ?? 0;
      if (!Number.isFinite(item)) throw new ElanusError('invalid', `${item} cannot be written as JSON.`);
      text += (at === 0 ? '' : ',') + shortestFloat32(item);
    }
    return `[${text}]`;
  }
  if (Array.isArray(value)) return `[${value.map((item) => stringifyJson(item ?? null)).join(',')}]`;
  if (ArrayBuffer.isView(value)) return stringifyObject(Array.from(value as Uint8Array));
  const parts: string[] = [];
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item !== undefined) parts.push(`${JSON.stringify(key)}:${stringifyJson(item)}`);
  }
  return `{${parts.join(',')}}`;
}
