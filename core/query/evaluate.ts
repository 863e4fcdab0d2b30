import { unreachable } from '../base/assert.ts';
import { compareUtf8 } from '../base/bytes.ts';
import type { Column } from '../model/column.ts';
import type { CompareOperator, Constant, Expression, JsonConstant } from './expression.ts';
import { compileLike } from './like.ts';
import { type RowSource, valuesOf } from './values.ts';

/**
 * Evaluates a filter column by column, in SQL's three-valued logic: a comparison with null, with an absent path or with
 * a value of another type is unknown, and unknown rows are left out.
 */

export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** One byte for each of the first `count` rows: `FALSE`, `TRUE` or `UNKNOWN`. */
export function evaluate(expression: Expression, rows: RowSource, count: number): Uint8Array {
  switch (expression.kind) {
    case 'always':
      return new Uint8Array(count).fill(expression.value ? TRUE : FALSE);
    case 'not':
      return evaluate(expression.of, rows, count).map((value) => (value === UNKNOWN ? UNKNOWN : 1 - value));
    case 'and':
      return join(expression.of, rows, count, FALSE);
    case 'or':
      return join(expression.of, rows, count, TRUE);
    case 'compare':
      return compare(expression, rows, count);
    case 'compare-columns':
      return compareColumns(expression, rows, count);
    case 'in':
      return isIn(expression, rows, count);
    case 'like': {
      const matches = compileLike(expression.pattern);
      return each(valuesOf(expression.operand, rows, count), (value) =>
        typeof value === 'string' ? bit(matches(value)) : UNKNOWN,
      );
    }
    case 'is-null':
      return each(valuesOf(expression.operand, rows, count), (value) => bit(isAbsent(value)));
    case 'equals-list':
      return each(valuesOf(expression.operand, rows, count), (value) =>
        Array.isArray(value) ? bit(equals(value, expression.list)) : UNKNOWN,
      );
    case 'contains':
      return contains(expression, rows, count);
    default:
      return unreachable(expression);
  }
}

/** Conjunction (`decisive` is FALSE) or disjunction (TRUE): one decisive part decides, else one unknown part does. */
function join(parts: readonly Expression[], rows: RowSource, count: number, decisive: number): Uint8Array {
  const result = new Uint8Array(count).fill(1 - decisive);
  for (const part of parts) {
    const values = evaluate(part, rows, count);
    for (let row = 0; row < count; row++) {
      const value = values[row] as number;
      if (value === decisive) result[row] = decisive;
      else if (value === UNKNOWN && result[row] !== decisive) result[row] = UNKNOWN;
    }
  }
  return result;
}

function each(values: readonly unknown[], test: (value: unknown) => number): Uint8Array {
  const result = new Uint8Array(values.length);
  for (let row = 0; row < values.length; row++) result[row] = test(values[row]);
  return result;
}

function bit(value: boolean): number {
  return value ? TRUE : FALSE;
}

/** Null, absent, or an empty object: what `exists` says does not exist. */
function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
}

function compare(expression: Extract<Expression, { kind: 'compare' }>, rows: RowSource, count: number): Uint8Array {
  const { operand, operator, constant } = expression;
  if (operand.kind === 'column') {
    const column = rows.column(operand.fieldId);
    if (typeof constant === 'number' && column.type !== 'Int64')
      return compareNumbers(column, operator, constant, count);
  }
  const holds = comparison(operator);
  const kind = comparableKind(constant);
  return each(valuesOf(operand, rows, count), (value) =>
    comparableKind(value) === kind ? bit(holds(order(value, constant))) : UNKNOWN,
  );
}

/** The hot loops: a numeric column against a number, without a call or an allocation a row. */
function compareNumbers(column: Column, operator: CompareOperator, constant: number, count: number): Uint8Array {
  const values = column.values as Int32Array;
  const result = new Uint8Array(count);
  switch (operator) {
    case '==':
      for (let row = 0; row < count; row++) result[row] = values[row] === constant ? 1 : 0;
      break;
    case '!=':
      for (let row = 0; row < count; row++) result[row] = values[row] === constant ? 0 : 1;
      break;
    case '<':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) < constant ? 1 : 0;
      break;
    case '<=':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) <= constant ? 1 : 0;
      break;
    case '>':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) > constant ? 1 : 0;
      break;
    case '>=':
      for (let row = 0; row < count; row++) result[row] = (values[row] as number) >= constant ? 1 : 0;
      break;
  }
  const { valid } = column;
  if (valid !== undefined) for (let row = 0; row < count; row++) if (valid[row] === 0) result[row] = UNKNOWN;
  return result;
}

function compareColumns(
  expression: Extract<Expression, { kind: 'compare-columns' }>,
  rows: RowSource,
  count: number,
): Uint8Array {
  const holds = comparison(expression.operator);
  const right = valuesOf(expression.right, rows, count);
  const left = valuesOf(expression.left, rows, count);
  return Uint8Array.from(left, (value, row) => {
    const other = right[row];
    if (value === undefined || other === undefined) return UNKNOWN;
    return bit(holds(order(value, other)));
  });
}

function isIn(expression: Extract<Expression, { kind: 'in' }>, rows: RowSource, count: number): Uint8Array {
  const wanted = new Set(expression.constants.map(canonical));
  const kinds = new Set(expression.constants.map(comparableKind));
  const isJson = expression.operand.kind === 'json';
  return each(valuesOf(expression.operand, rows, count), (value) => {
    if (value === undefined || value === null) return UNKNOWN;
    if (wanted.has(canonical(value))) return TRUE;
    return isJson && kinds.size > 0 && !kinds.has(comparableKind(value)) ? UNKNOWN : FALSE;
  });
}

function contains(expression: Extract<Expression, { kind: 'contains' }>, rows: RowSource, count: number): Uint8Array {
  const { values, mode } = expression;
  return each(valuesOf(expression.operand, rows, count), (array) => {
    if (!Array.isArray(array)) return UNKNOWN;
    const has = (value: JsonConstant): boolean => array.some((item) => equals(item, value));
    return bit(mode === 'all' ? values.every(has) : values.some(has));
  });
}

/** Deep equality; numbers of any kind by value. */
function equals(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => equals(item, b[at]));
  const kind = comparableKind(a);
  return kind !== undefined && kind === comparableKind(b) && order(a, b) === 0;
}

function comparableKind(value: unknown): 'number' | 'string' | 'boolean' | undefined {
  const kind = typeof value;
  if (kind === 'bigint') return 'number';
  return kind === 'number' || kind === 'string' || kind === 'boolean' ? kind : undefined;
}

/** A value such that equal numbers of any kind are the same: safe integers as numbers, others as they are. */
function canonical(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Texts by their UTF-8 bytes, numbers of any kind by value. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'string') return a === b ? 0 : compareUtf8(a, b as string);
  const [left, right] = [a as Constant, b as Constant];
  return left < right ? -1 : left > right ? 1 : 0;
}

function comparison(operator: CompareOperator): (order: number) => boolean {
  switch (operator) {
    case '==':
      return (sign) => sign === 0;
    case '!=':
      return (sign) => sign !== 0;
    case '<':
      return (sign) => sign < 0;
    case '<=':
      return (sign) => sign <= 0;
    case '>':
      return (sign) => sign > 0;
    case '>=':
      return (sign) => sign >= 0;
  }
}
