import { ElanusError } from '../base/error.ts';
import type { Int64Mode } from './row.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The Int64 that a number, bigint or decimal text stands for, exactly; `undefined` for anything else, out of range, or
 * a number beyond ±(2^53 − 1), which no longer says which integer was meant.
 */
export function toInt64(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const integer = typeof value === 'string' ? parseDecimal(value) : value;
  return typeof integer === 'bigint' && integer >= MIN && integer <= MAX ? integer : undefined;
}

/** Twenty digits are beyond any Int64, so a hostile text is refused before it is parsed. */
function parseDecimal(text: string): bigint | undefined {
  const [, sign, digits] = /^([+-]?)0*(\d{1,20})$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

/** Where a value that does not fit was found. */
export interface Int64Place {
  readonly field: string;
  readonly key?: bigint | number | string;
}

/**
 * An Int64 in the one type that the caller chose. With `'number'` a value beyond ±(2^53 − 1) rejects with `invalid` and
 * names field, key and option: nothing is ever rounded.
 */
export function fromInt64(value: bigint, mode: Int64Mode, place: Int64Place): number | bigint | string {
  if (mode === 'bigint') return value;
  if (mode === 'string') return value.toString();
  if (value >= -SAFE && value <= SAFE) return Number(value);
  const key = place.key === undefined ? '' : ` of the entity with key ${String(place.key)}`;
  throw new ElanusError(
    'invalid',
    `Field ${place.field}${key} holds ${value}, beyond what a number says exactly. Use the option int64: 'bigint' or int64: 'string'.`,
    {
      details: {
        field: place.field,
        option: 'int64',
        value: value.toString(),
        ...(place.key === undefined ? {} : { key: String(place.key) }),
      },
    },
  );
}

/**
 * Converts a value and every bigint inside it (arrays, JSON) by `fromInt64`: what lies inside in place, the value itself
 * is the result.
 */
export function convertInt64(value: unknown, mode: Int64Mode, place: Int64Place): unknown {
  if (typeof value === 'bigint') return fromInt64(value, mode, place);
  if (mode !== 'bigint' && typeof value === 'object' && value !== null) convertInside(value, mode, place);
  return value;
}

/** Converts every bigint in rows, in place. `keyField` names the primary key, so that an error can say which entity. */
export function convertRows<Rows extends readonly Record<string, unknown>[]>(
  rows: Rows,
  mode: Int64Mode,
  keyField?: string,
): Rows {
  if (mode === 'bigint') return rows;
  for (const row of rows) {
    const key = keyField !== undefined && Object.hasOwn(row, keyField) ? row[keyField] : undefined;
    const known = typeof key === 'bigint' || typeof key === 'string' ? { key } : {};
    for (const field of Object.keys(row)) replace(row, field, convertInt64(row[field], mode, { field, ...known }));
  }
  return rows;
}

/** JSON is at most 1,024 deep, which the stack of every host holds. */
function convertInside(value: object, mode: Int64Mode, place: Int64Place): void {
  if (ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const element: unknown = value[index];
      if (typeof element === 'bigint' || typeof element === 'object') value[index] = convertInt64(element, mode, place);
    }
    return;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const inner = record[key];
    if (typeof inner === 'bigint' || typeof inner === 'object') replace(record, key, convertInt64(inner, mode, place));
  }
}

/** Sets an own key. `__proto__` may be one, and assigning to it would do something else. */
function replace(holder: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(holder, key, { value });
  else holder[key] = value;
}
