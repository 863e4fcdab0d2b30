import { toInt64 } from './int64.ts';
import { kindOf, show } from './reject.ts';
import type { ElementType } from './schema.ts';

/** One value of a type that an Array may hold: Int64 as bigint, other numbers as number. */
export type ScalarValue = boolean | number | bigint | string;

/** The bounds of each narrow integer type. */
const INTEGER_BOUNDS = {
  Int8: [-128, 127],
  Int16: [-32_768, 32_767],
  Int32: [-2_147_483_648, 2_147_483_647],
} as const;

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * What a caller's value means in a field of a type, by the dialect of Milvus's newest release; `undefined` if nothing.
 * `explainScalar` then says why.
 */
export function readScalar(type: ElementType, value: unknown): ScalarValue | undefined {
  switch (type) {
    case 'Bool':
      return readBool(value);
    case 'Int8':
    case 'Int16':
    case 'Int32':
      return readInteger(type, value);
    case 'Int64':
      return toInt64(value);
    case 'Float':
      return readFloat(value);
    case 'Double':
      return readDouble(value);
    case 'VarChar':
      return readText(value);
  }
}

/** `true`, `false`, and the texts and numbers that Go's ParseBool takes for them. */
export function readBool(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = value === 1 || value === 1n ? '1' : value === 0 || value === 0n ? '0' : value;
  if (typeof text !== 'string') return undefined;
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
}

/** An integer in the type's range, as a number, a bigint or a decimal text; `1e3` and `5.0` are integers. */
export function readInteger(type: keyof typeof INTEGER_BOUNDS, value: unknown): number | undefined {
  const integer = typeof value === 'number' ? value : Number(toInt64(value) ?? Number.NaN);
  const [low, high] = INTEGER_BOUNDS[type];
  return Number.isInteger(integer) && integer >= low && integer <= high ? integer + 0 : undefined;
}

/** A finite double, as a number, a bigint or a decimal text. */
export function readDouble(value: unknown): number | undefined {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint' || (typeof value === 'string' && DECIMAL.test(value))
        ? Number(value)
        : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** The float32 nearest to a finite double; nothing if that is infinite. */
export function readFloat(value: unknown): number | undefined {
  const number = readDouble(value);
  if (number === undefined) return undefined;
  const float = Math.fround(number);
  return Number.isFinite(float) ? float : undefined;
}

/** A text that UTF-8 can say; a number or boolean is stored as its own text. */
export function readText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : undefined;
}

/** Why `readScalar` has nothing for a value, in Milvus's words where it has some. */
export function explainScalar(type: ElementType, name: string, value: unknown): string {
  const bounds = `invalid parameter[expected=${type}][actual=${show(value)}]`;
  switch (type) {
    case 'Bool':
      return `field ${name} expects true or false, got ${kindOf(value)}: ${bounds}`;
    case 'Int8':
    case 'Int16':
    case 'Int32': {
      const [low, high] = INTEGER_BOUNDS[type];
      return `field ${name} value must be an integer in range [${low}, ${high}]: ${bounds}`;
    }
    case 'Int64':
      return Number.isInteger(value)
        ? `field ${name} value ${show(value)} is beyond ±(2^53 - 1), where a number is no longer exact: give it as a bigint or as a decimal string: ${bounds}`
        : `field ${name} value must be an integer in range [-9223372036854775808, 9223372036854775807]: ${bounds}`;
    case 'Float':
      return readDouble(value) === undefined
        ? explainDouble(name, value, bounds)
        : `field ${name} value is outside the float32 range: ${bounds}`;
    case 'Double':
      return explainDouble(name, value, bounds);
    case 'VarChar':
      return typeof value === 'string'
        ? `field ${name} holds a lone surrogate, which UTF-8 cannot say`
        : `field ${name} expects a string, got ${kindOf(value)}`;
  }
}

function explainDouble(name: string, value: unknown, bounds: string): string {
  const isNumeric = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string';
  if (!isNumeric) return `field ${name} expects a number, got ${kindOf(value)}: ${bounds}`;
  const isNumber = typeof value !== 'string' || DECIMAL.test(value) || /^([+-]?(inf(inity)?)|nan)$/i.test(value);
  return isNumber
    ? `field ${name} value ${show(value)} is not a number or infinity: ${bounds}`
    : `field ${name} expects a number, got the text ${JSON.stringify(show(value))}: ${bounds}`;
}
