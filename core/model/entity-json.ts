import { JSON_DEPTH_MAX, RECORD_BYTES_MAX } from './limits.ts';
import { isRecord, kindOf } from './reject.ts';

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Values looked at, shared by one document: an object that holds another twice, and so on, is exponential. */
interface Budget {
  values: number;
}

/** Why a value cannot be stored as a JSON document; `undefined` if it can. Every value takes at least a byte. */
export function jsonFlaw(value: unknown): string | undefined {
  return flawOf(value, 0, { values: RECORD_BYTES_MAX });
}

function flawOf(value: unknown, depth: number, budget: Budget): string | undefined {
  budget.values--;
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : 'holds a lone surrogate, which UTF-8 cannot say';
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `holds ${value}, which is not a JSON number`;
    case 'bigint':
      if (value >= INT64_MIN && value <= UINT64_MAX) return undefined;
      return `holds an integer that exceeds the 64-bit range supported by the JSON engine, write it as a floating-point literal or as a string`;
    case 'object':
      return value === null ? undefined : flawInside(value, depth + 1, budget);
    default:
      return `holds ${kindOf(value)}, which JSON cannot say`;
  }
}

function flawInside(value: object, depth: number, budget: Budget): string | undefined {
  if (depth > JSON_DEPTH_MAX) return `nests deeper than ${JSON_DEPTH_MAX}`;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const flaw = budget.values <= 0 ? tooLarge() : flawOf(value[index], depth, budget);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }
  if (!isRecord(value)) return `holds ${kindOf(value)}, which JSON cannot say`;
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return 'has a key with a lone surrogate, which UTF-8 cannot say';
    const flaw = budget.values <= 0 ? tooLarge() : flawOf(value[key], depth, budget);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function tooLarge(): string {
  return `holds more than ${RECORD_BYTES_MAX} values`;
}
