import { unreachable } from '../base/assert.ts';
import { compare, compareColumns, withNulls } from './compare.ts';
import type { Expression } from './expression.ts';
import { compileLike } from './like.ts';
import { contains, isIn } from './membership.ts';
import { equals } from './order.ts';
import { combine, FALSE, negate, TRUE, UNKNOWN } from './truth.ts';
import { type RowSource, Values } from './values.ts';

/**
 * Evaluates a filter column by column, in SQL's three-valued logic: a comparison with null, with an absent path or with
 * a value of another type is unknown, and unknown rows are left out.
 *
 * @returns one byte for each of the first `count` rows: 0 false, 1 true, 2 unknown
 */
export function evaluate(expression: Expression, rows: RowSource, count: number): Uint8Array {
  return truth(expression, new Values(expression, rows, count));
}

function truth(expression: Expression, values: Values): Uint8Array {
  switch (expression.kind) {
    case 'always':
      return new Uint8Array(values.count).fill(expression.value ? TRUE : FALSE);
    case 'not':
      return negate(truth(expression.of, values));
    case 'and':
    case 'or':
      return junction(expression.kind, expression.of, values);
    case 'compare':
      return compare(expression, values);
    case 'compare-columns':
      return compareColumns(expression, values);
    case 'in':
      return isIn(expression, values);
    case 'like':
      return like(expression, values);
    case 'is-null':
      return isNull(expression, values);
    case 'equals-list':
      return each(values, values.of(expression.operand), (value) =>
        Array.isArray(value) ? bit(equals(value, expression.list)) : UNKNOWN,
      );
    case 'contains':
      return contains(expression, values);
    default:
      return unreachable(expression);
  }
}

function junction(kind: 'and' | 'or', [first, ...others]: readonly Expression[], values: Values): Uint8Array {
  if (first === undefined) return new Uint8Array(values.count).fill(kind === 'and' ? TRUE : FALSE);
  const result = truth(first, values);
  for (const other of others) if (combine(result, truth(other, values), kind)) break;
  return result;
}

function each(values: Values, operands: readonly unknown[], test: (value: unknown) => number): Uint8Array {
  const result = new Uint8Array(values.count);
  for (let row = 0; row < result.length; row++) result[row] = test(operands[row]);
  return result;
}

function bit(value: boolean): number {
  return value ? TRUE : FALSE;
}

function like({ operand, pattern }: Extract<Expression, { kind: 'like' }>, values: Values): Uint8Array {
  const matches = compileLike(pattern);
  if (operand.kind === 'column') {
    const column = values.column(operand.fieldId);
    const texts = column.values as readonly string[];
    const result = new Uint8Array(values.count);
    for (let row = 0; row < result.length; row++) result[row] = matches(texts[row] ?? '') ? TRUE : FALSE;
    return withNulls(result, column);
  }
  return each(values, values.of(operand), (value) => (typeof value === 'string' ? bit(matches(value)) : UNKNOWN));
}

/** A column says itself which rows are null; at a path of a document nothing, null and an empty object are as absent. */
function isNull({ operand }: Extract<Expression, { kind: 'is-null' }>, values: Values): Uint8Array {
  if (operand.kind === 'json' && operand.path.length > 0) {
    return each(values, values.of(operand), (value) => bit(isAbsent(value)));
  }
  const result = new Uint8Array(values.count);
  if (operand.kind === 'column' || operand.kind === 'array' || operand.kind === 'json') {
    const { valid } = values.column(operand.fieldId);
    for (let row = 0; valid !== undefined && row < result.length; row++) result[row] = valid[row] === 0 ? TRUE : FALSE;
    return result;
  }
  return each(values, values.of(operand), (value) => bit(value === undefined));
}

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
}
