import type { Column } from '../model/column.ts';
import { withNulls, wordsOf } from './compare.ts';
import type { Expression } from './expression.ts';
import { canonical, equals, scalarKind } from './order.ts';
import { FALSE, TRUE, UNKNOWN } from './truth.ts';
import type { Values } from './values.ts';

/** Whether a row's value is among constants. */
export function isIn({ operand, constants }: Extract<Expression, { kind: 'in' }>, values: Values): Uint8Array {
  const { count } = values;
  if (operand.kind === 'column') {
    const column = values.column(operand.fieldId);
    if (column.type === 'Int64') return isInInt64(column, constants as readonly bigint[], count);
    if (column.type === 'Bool') return isInSet(column, new Set(constants.map(Number)), count);
    return isInSet(column, new Set<unknown>(constants), count);
  }
  const wanted = new Set(constants.map(canonical));
  const kinds = new Set(constants.map(scalarKind));
  const found = values.of(operand);
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const value = found[row];
    if (value === undefined || value === null) result[row] = UNKNOWN;
    else if (wanted.has(canonical(value))) result[row] = TRUE;
    // A value of a kind that the list does not have is compared with nothing.
    else result[row] = kinds.size === 0 || kinds.has(scalarKind(value)) ? FALSE : UNKNOWN;
  }
  return result;
}

function isInSet(column: Column, wanted: ReadonlySet<unknown>, count: number): Uint8Array {
  const { values } = column;
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) result[row] = wanted.has(values[row]) ? TRUE : FALSE;
  return withNulls(result, column);
}

/** Looks each value up in the sorted constants, as pairs of words: no bigint is made for a row. */
function isInInt64(
  column: Extract<Column, { type: 'Int64' }>,
  constants: readonly bigint[],
  count: number,
): Uint8Array {
  const wanted = BigInt64Array.from(constants).sort();
  const wantedWords = wordsOf({ type: 'Int64', length: wanted.length, values: wanted }, wanted.length);
  const words = wordsOf(column, count);
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const low = (words[2 * row] as number) >>> 0;
    const high = words[2 * row + 1] as number;
    let from = 0;
    let to = wanted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const otherHigh = wantedWords[2 * middle + 1] as number;
      const otherLow = (wantedWords[2 * middle] as number) >>> 0;
      if (otherHigh < high || (otherHigh === high && otherLow < low)) from = middle + 1;
      else to = middle;
    }
    const isFound = wantedWords[2 * from + 1] === high && (wantedWords[2 * from] as number) >>> 0 === low;
    result[row] = isFound ? TRUE : FALSE;
  }
  return withNulls(result, column);
}

/** Whether a row's array holds any or all of the values, which may be lists themselves. */
export function contains(
  { operand, values: wanted, mode }: Extract<Expression, { kind: 'contains' }>,
  values: Values,
): Uint8Array {
  const { count } = values;
  const lists = wanted.filter((value) => Array.isArray(value));
  const scalars = new Set(wanted.filter((value) => !Array.isArray(value)).map(canonical));
  const arrays = values.of(operand);
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const array = arrays[row];
    if (!Array.isArray(array)) {
      result[row] = UNKNOWN;
    } else if (mode === 'any') {
      const isFound = array.some((item) => scalars.has(canonical(item)) || lists.some((list) => equals(item, list)));
      result[row] = isFound ? TRUE : FALSE;
    } else {
      const isFound = holdsAll(array, scalars) && lists.every((list) => array.some((item) => equals(item, list)));
      result[row] = isFound ? TRUE : FALSE;
    }
  }
  return result;
}

function holdsAll(array: readonly unknown[], wanted: ReadonlySet<unknown>): boolean {
  if (wanted.size > array.length) return false;
  const missing = new Set(wanted);
  for (const item of array) {
    if (missing.size === 0) break;
    missing.delete(canonical(item));
  }
  return missing.size === 0;
}
