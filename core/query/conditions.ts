import { isList, kindOf, showConstant } from './constants.ts';
import type { CompareOperator, Expression, JsonConstant } from './expression.ts';
import { fault } from './fault.ts';
import { compileLike } from './like.ts';
import {
  type ConstantValue,
  cast,
  castJson,
  isNumeric,
  type ScalarOperand,
  scalarOperand,
  type TypedOperand,
} from './operands.ts';
import type { Resolved } from './resolve.ts';

/** The conditions of the language, each from what stands on its two sides, checked. */

const FLIPPED: Readonly<Record<CompareOperator, CompareOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** A comparison of an operand with a constant, on either side, or of two columns. */
export function compare(operator: CompareOperator, left: Resolved, right: Resolved, at: number): Expression {
  if (left.kind === 'operand' && right.kind === 'constant') return compareConstant(operator, left, right);
  if (left.kind === 'constant' && right.kind === 'operand') return compareConstant(FLIPPED[operator], right, left);
  if (left.kind === 'operand' && right.kind === 'operand') return compareColumns(operator, left, right, at);
  throw fault(`comparison operations cannot be applied to two incompatible operands: a condition has no value`, at);
}

function compareConstant(operator: CompareOperator, left: TypedOperand, { value, at }: ConstantValue): Expression {
  if (left.operand.kind === 'array' || isList(value)) return compareList(operator, left, value, at);
  const { operand, type } = scalarOperand(left);
  if (operand.kind === 'length' && typeof value !== 'bigint') {
    throw fault(`array_length is compared with an integer, not with ${showConstant(value)}`, at);
  }
  const constant = cast(value, type, at);
  if (typeof constant === 'boolean' && operator !== '==' && operator !== '!=') {
    throw fault(`comparison operator ${operator} is not supported on bool`, at);
  }
  return { kind: 'compare', operator, operand, constant };
}

function compareList(operator: CompareOperator, left: TypedOperand, value: JsonConstant, at: number): Expression {
  const { operand, type } = left;
  const isArray = operand.kind === 'array';
  if (!isList(value) || (!isArray && operand.kind !== 'json') || (operator !== '==' && operator !== '!=')) {
    throw fault(`a whole array and a list are compared with each other, by == or !=, not by ${operator}`, at);
  }
  const list = isArray ? value.map((item) => cast(item, type, at)) : value.map(castJson);
  const equals: Expression = { kind: 'equals-list', operand, list };
  return operator === '==' ? equals : { kind: 'not', of: equals };
}

function compareColumns(operator: CompareOperator, left: TypedOperand, right: TypedOperand, at: number): Expression {
  if (left.operand.kind === 'array' || right.operand.kind === 'array') {
    throw fault('field-to-field comparison involving ARRAY fields is not supported', at);
  }
  const arePlain = left.operand.kind === 'column' && right.operand.kind === 'column';
  const areNumbers = isNumeric(left.type) && isNumeric(right.type);
  if (!arePlain || !(areNumbers || (left.type === 'VarChar' && right.type === 'VarChar'))) {
    throw fault(`comparisons between ${left.type} and ${right.type} fields are not supported`, at);
  }
  return { kind: 'compare-columns', operator, left: left.operand, right: right.operand };
}

/** `first < of < second`, with its operators from left to right. */
export function range(
  bounds: readonly [Resolved, Resolved],
  operators: readonly [CompareOperator, CompareOperator],
  of: TypedOperand,
  at: number,
): Expression {
  const { operand, type } = scalarOperand(of);
  const [first, second] = bounds.map((bound) => {
    if (bound.kind === 'constant') return cast(bound.value, type, bound.at);
    throw fault('the bounds of a range must be constants', bound.at);
  });
  if (first === undefined || second === undefined) throw fault('a range has two bounds', at);
  if (kindOf(first) === 'boolean' || kindOf(first) !== kindOf(second)) {
    throw fault('invalid range operations: the bounds must both be numbers, or both be strings', at);
  }
  return {
    kind: 'and',
    of: [
      { kind: 'compare', operator: FLIPPED[operators[0]], operand, constant: first },
      { kind: 'compare', operator: operators[1], operand, constant: second },
    ],
  };
}

export function isIn(left: Resolved, right: Resolved): Expression {
  if (left.kind !== 'operand') throw fault("'in' can only be used on a single field", left.at);
  const { operand, type } = left;
  if (operand.kind === 'arithmetic' || operand.kind === 'length') {
    throw fault("'in' can only be used on a single field, not on an operation on it", left.at);
  }
  if (right.kind !== 'constant' || !isList(right.value)) {
    throw fault("the right-hand side of 'in' must be a list of constants", right.at);
  }
  if (operand.kind === 'array') {
    if (right.value.length > 0) throw fault('a whole array is in no list; name an element of it', left.at);
    // No array is in an empty list, and whether a null is remains unknown.
    return { kind: 'contains', mode: 'any', operand, values: [] };
  }
  return { kind: 'in', operand, constants: right.value.map((item) => cast(item, type, right.at)) };
}

export function like(left: Resolved, right: Resolved): Expression {
  if (right.kind !== 'constant' || typeof right.value !== 'string') {
    throw fault("the pattern of 'like' must be a string", right.at);
  }
  if (left.kind !== 'operand') throw fault('like operation on complicated expr is unsupported', left.at);
  const { operand, type } = scalarOperand(left);
  if (operand.kind === 'arithmetic' || (type !== 'VarChar' && type !== 'JSON')) {
    throw fault('like operation on non-string or no-json field is unsupported', left.at);
  }
  // Throws what is wrong with the pattern.
  compileLike(right.value);
  return { kind: 'like', operand, pattern: right.value };
}

export function isNull(of: TypedOperand, isNegated: boolean): Expression {
  const { operand } = of;
  if (operand.kind === 'element') throw fault('IsNull/IsNotNull operations are not supported on array elements', of.at);
  const expression: Expression = { kind: 'is-null', operand };
  return isNegated ? { kind: 'not', of: expression } : expression;
}

export function exists(of: Resolved): Expression {
  if (of.kind !== 'operand' || of.operand.kind !== 'json') {
    throw fault('exists operations are only supported on json fields', of.at);
  }
  if (of.operand.path.length === 0) throw fault('exists operations are only supported on json keys', of.at);
  return { kind: 'not', of: { kind: 'is-null', operand: of.operand } };
}

/** `json_contains`, and `json_contains_any` and `_all` of a list. */
export function contains(mode: 'one' | 'any' | 'all', of: Resolved, wanted: Resolved): Expression {
  if (of.kind !== 'operand' || (of.operand.kind !== 'array' && of.operand.kind !== 'json')) {
    throw fault('contains operation are only supported on json or array fields now', of.at);
  }
  if (wanted.kind !== 'constant') throw fault('contains operation needs constants', wanted.at);
  const { operand, type } = of;
  const { value, at } = wanted;
  if (mode !== 'one' && !isList(value)) throw fault(`contains_${mode} operation element must be an array`, at);
  const list = mode !== 'one' && isList(value) ? value : [value];
  const values = operand.kind === 'array' ? list.map((item) => cast(item, type, at)) : list.map(castJson);
  return { kind: 'contains', mode: mode === 'any' ? 'any' : 'all', operand, values };
}

/** An operand that is a VarChar column. */
export function textOperand(of: Resolved, name: string): ScalarOperand {
  if (of.kind === 'operand' && of.operand.kind === 'column' && of.type === 'VarChar') return of as ScalarOperand;
  throw fault(`${name} needs a VarChar field`, of.at);
}
