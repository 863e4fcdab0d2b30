import type { Column } from '../model/column.ts';
import type { CompareOperator, Constant, Expression } from './expression.ts';
import { ACCEPTED, type Scalar, scalarKind, signAgainst, signOf } from './order.ts';
import { FALSE, TRUE, UNKNOWN } from './truth.ts';
import type { Values } from './values.ts';

type NumberColumn = Extract<Column, { type: 'Bool' | 'Int8' | 'Int16' | 'Int32' | 'Float' | 'Double' }>;

/** A comparison with a constant, by loops over typed arrays where there are typed arrays. */
export function compare(
  { operand, operator, constant }: Extract<Expression, { kind: 'compare' }>,
  values: Values,
): Uint8Array {
  const { count } = values;
  if (operand.kind !== 'column') return compareValues(values.of(operand), operator, constant, count);
  const column = values.column(operand.fieldId);
  switch (column.type) {
    case 'Int64':
      return compareInt64(column, operator, constant as bigint, count);
    case 'VarChar':
      return compareTexts(column, operator, constant as string, count);
    case 'JSON':
    case 'Array':
      return compareValues(values.of(operand), operator, constant, count);
    default:
      return compareNumbers(column, operator, Number(constant), count);
  }
}

/** The result, but unknown in the rows that are null. */
export function withNulls(result: Uint8Array, { valid }: Column): Uint8Array {
  if (valid !== undefined) {
    for (let row = 0; row < result.length; row++) if (valid[row] === 0) result[row] = UNKNOWN;
  }
  return result;
}

/** One loop an operator: the shortest that the compiler can make of it. */
function compareNumbers(column: NumberColumn, operator: CompareOperator, constant: number, count: number): Uint8Array {
  const values = column.values as Int32Array;
  const result = new Uint8Array(count);
  switch (operator) {
    case '==':
      for (let row = 0; row < count; row++) result[row] = values[row] === constant ? TRUE : FALSE;
      break;
    case '!=':
      for (let row = 0; row < count; row++) result[row] = values[row] === constant ? FALSE : TRUE;
      break;
    case '<':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) < constant ? TRUE : FALSE;
      break;
    case '<=':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) <= constant ? TRUE : FALSE;
      break;
    case '>':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) > constant ? TRUE : FALSE;
      break;
    case '>=':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) >= constant ? TRUE : FALSE;
      break;
  }
  return withNulls(result, column);
}

/** An Int64 column as pairs of words, low word first: no bigint is made for a row. Every host is little-endian. */
export function wordsOf(column: Extract<Column, { type: 'Int64' }>, count: number): Int32Array {
  return new Int32Array(column.values.buffer, column.values.byteOffset, 2 * count);
}

function compareInt64(
  column: Extract<Column, { type: 'Int64' }>,
  operator: CompareOperator,
  constant: bigint,
  count: number,
): Uint8Array {
  const words = wordsOf(column, count);
  const low = Number(BigInt.asUintN(32, constant));
  const high = Number(BigInt.asIntN(32, constant >> 32n));
  const accepted = ACCEPTED[operator];
  const [less, equal, greater] = [accepted & 1, (accepted >> 1) & 1, accepted >> 2];
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const highWord = words[2 * row + 1] as number;
    if (highWord !== high) {
      result[row] = highWord < high ? less : greater;
    } else {
      const lowWord = (words[2 * row] as number) >>> 0;
      result[row] = lowWord === low ? equal : lowWord < low ? less : greater;
    }
  }
  return withNulls(result, column);
}

function compareTexts(
  column: Extract<Column, { type: 'VarChar' }>,
  operator: CompareOperator,
  constant: string,
  count: number,
): Uint8Array {
  const { values } = column;
  const result = new Uint8Array(count);
  if (operator === '==' || operator === '!=') {
    const [same, other] = operator === '==' ? [TRUE, FALSE] : [FALSE, TRUE];
    for (let row = 0; row < count; row++) result[row] = values[row] === constant ? same : other;
  } else {
    const accepted = ACCEPTED[operator];
    const sign = signAgainst(constant);
    for (let row = 0; row < count; row++) result[row] = (accepted >> (sign(values[row] ?? '') + 1)) & 1;
  }
  return withNulls(result, column);
}

/** Values of any kind: those of another kind than the constant's, and those that are absent, compare as unknown. */
function compareValues(
  values: readonly unknown[],
  operator: CompareOperator,
  constant: Constant,
  count: number,
): Uint8Array {
  const accepted = ACCEPTED[operator];
  const kind = scalarKind(constant);
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const value = values[row];
    result[row] = scalarKind(value) === kind ? (accepted >> (signOf(value as Scalar, constant) + 1)) & 1 : UNKNOWN;
  }
  return result;
}

/** A comparison of two columns, both of numbers or both of texts. */
export function compareColumns(
  { operator, left, right }: Extract<Expression, { kind: 'compare-columns' }>,
  values: Values,
): Uint8Array {
  const accepted = ACCEPTED[operator];
  const { count } = values;
  const [lefts, rights] = [values.of(left), values.of(right)];
  const result = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const [a, b] = [lefts[row], rights[row]];
    const isKnown = a !== undefined && b !== undefined;
    result[row] = isKnown ? (accepted >> (signOf(a as Scalar, b as Scalar) + 1)) & 1 : UNKNOWN;
  }
  return result;
}
