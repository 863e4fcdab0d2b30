import { ElanusError, type ErrorDetails } from '../base/error.ts';

/** Milvus's base text of a code, which ends its message on the wire; codes that are not here end without one. */
const BASE_TEXTS: Readonly<Record<number, string>> = {
  105: 'illegal collection schema',
  802: 'invalid database name',
  1100: 'invalid parameter',
  1101: 'missing parameter',
  1102: 'parameter too large',
  1701: 'field name invalid',
};

interface RejectOptions {
  /** 1100 by default. */
  readonly milvusCode?: number;
  /** What would be right, for Milvus's `[expected=…][actual=…]`. */
  readonly expected?: string;
  readonly actual?: unknown;
  readonly details?: ErrorDetails;
}

/** The error of a call that must be fixed, its message composed as Milvus composes it (`<text>: <base text>`). */
export function invalid(text: string, options: RejectOptions = {}): ElanusError {
  const milvusCode = options.milvusCode ?? 1100;
  const base = BASE_TEXTS[milvusCode];
  const bounds = options.expected === undefined ? '' : `[expected=${options.expected}][actual=${show(options.actual)}]`;
  return new ElanusError('invalid', `${text}${base === undefined ? '' : `: ${base}`}${bounds}`, {
    milvusCode,
    ...(options.details === undefined ? {} : { details: options.details }),
  });
}

/** A body that is not what JSON of this call may be (1801). */
export function badRequest(text: string, details?: ErrorDetails): ElanusError {
  return invalid(`can only accept json format request, error: ${text}`, {
    milvusCode: 1801,
    ...(details === undefined ? {} : { details }),
  });
}

/** A required key that is absent or has the zero value (1802); `struct` is Milvus's name of the request. */
export function missingKey(struct: string, key: string): ElanusError {
  const name = key.charAt(0).toUpperCase() + key.slice(1);
  return invalid(
    `missing required parameters, error: Key: '${struct}.${name}' Error:Field validation for '${name}' failed on the 'required' tag`,
    { milvusCode: 1802, details: { key } },
  );
}

/** What Milvus defines and Elanus does not do yet: refused by name, because an ignored request is a wrong answer. */
export function unsupported(key: string, why = 'leave it out'): ElanusError {
  return new ElanusError('unsupported', `unsupported operation: ${key} is not supported yet; ${why}`, {
    milvusCode: 3000,
    details: { key },
  });
}

/** Whether a value says nothing: absent, null, zero, false, an empty text, list or object. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === 0n || value === false)
    return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

/** Whether a value is an object of keys and values: no array, no buffer, no Map, no Date. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]';
}

/**
 * The value of a request key, matched as Milvus matches it: exactly, else without regard to case. Only what the object
 * itself has counts, so that a key named `constructor` or `__proto__` is nothing special.
 */
export function readKey(record: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name];
  const lower = name.toLowerCase();
  for (const key of Object.keys(record)) {
    if (key.length === name.length && key.toLowerCase() === lower) return record[key];
  }
  return undefined;
}

/** A value as an error message shows it: short, and never failing whatever it is. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string' ? value : typeof value === 'object' && value !== null ? tagOf(value) : String(value);
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

/** What kind of JSON value something is, for `got a JSON object`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a JSON array';
  if (isRecord(value)) return 'a JSON object';
  return typeof value === 'object' ? `a value of type ${tagOf(value)}` : `a ${typeof value}`;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** An integer given as number, bigint or decimal text; `undefined` for anything else and beyond 2^53. */
export function toInteger(value: unknown): number | undefined {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint' || (typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value))
        ? Number(value)
        : Number.NaN;
  return Number.isSafeInteger(number) ? number + 0 : undefined;
}

/** A switch given as boolean or text (`"true"`); `undefined` for anything else. */
export function toSwitch(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
