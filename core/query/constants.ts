import { compareUtf8 } from '../base/bytes.ts';
import type { ArithmeticOperator, CompareOperator, Constant, JsonConstant } from './expression.ts';
import { fault } from './fault.ts';
import type { BinaryOperator, UnaryOperator } from './syntax.ts';

/** The values of template variables, as a request gives them: numbers, bigints, texts, booleans and lists of these. */
export type TemplateValues = Readonly<Record<string, unknown>>;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Lists of template values nest at most this deep: whoever compares them is recursive. */
const TEMPLATE_DEPTH_MAX = 64;

/** An integer that an Int64 can hold; throws `invalid` for any other. */
export function int64(value: bigint, at: number): bigint {
  if (value >= INT64_MIN && value <= INT64_MAX) return value;
  throw fault(`int64 overflow: ${value}`, at);
}

export function isList(value: JsonConstant): value is readonly JsonConstant[] {
  return Array.isArray(value);
}

export function isNumber(value: JsonConstant): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function isComparison(operator: BinaryOperator): operator is CompareOperator {
  return ['==', '!=', '<', '<=', '>', '>='].includes(operator);
}

export function isArithmetic(operator: BinaryOperator): operator is ArithmeticOperator {
  return ['+', '-', '*', '/', '%'].includes(operator);
}

/** `number`, `string` or `boolean`: what is comparable with what. */
export function kindOf(value: Constant): 'number' | 'string' | 'boolean' {
  const kind = typeof value;
  return kind === 'string' || kind === 'boolean' ? kind : 'number';
}

export function showConstant(value: JsonConstant): string {
  if (isList(value)) return `[${value.slice(0, 10).map(showConstant).join(', ')}${value.length > 10 ? ', …' : ''}]`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value);
}

/** The value of an operator between constants; numbers of both kinds by value. */
export function foldUnary(operator: UnaryOperator, value: JsonConstant, at: number): JsonConstant {
  if (operator === '+' && isNumber(value)) return value;
  if (operator === '-' && typeof value === 'bigint') return int64(-value, at);
  if (operator === '-' && typeof value === 'number') return -value;
  if (operator === '~' && typeof value === 'bigint') return ~value;
  if (operator === 'not' && typeof value === 'boolean') return !value;
  if (operator === 'not')
    throw fault(`'!' op can only be applied on boolean expression, not on ${showConstant(value)}`, at);
  throw fault(`'${operator}' cannot be applied to ${showConstant(value)}`, at);
}

/** The value of an operator between two constants. */
export function foldBinary(
  operator: BinaryOperator,
  left: JsonConstant,
  right: JsonConstant,
  at: number,
): JsonConstant {
  if (isComparison(operator)) {
    if (isList(left) || isList(right) || kindOf(left) !== kindOf(right)) {
      throw fault(`comparisons between ${showConstant(left)} and ${showConstant(right)} are not supported`, at);
    }
    return compareConstants(operator, left, right, at);
  }
  if (!isNumber(left) || !isNumber(right)) {
    throw fault(`'${operator}' needs two numbers, not ${showConstant(left)} and ${showConstant(right)}`, at);
  }
  if (operator === '**') return power(left, right, at);
  if (isArithmetic(operator)) {
    if ((operator === '/' || operator === '%') && Number(right) === 0) throw fault('cannot divide by zero', at);
    const isInteger = typeof left === 'bigint' && typeof right === 'bigint';
    if (operator === '%' && !isInteger) throw fault('modulo can only apply on integer types', at);
    const value = calculate(operator, left, right);
    if (typeof value === 'bigint') return int64(value, at);
    if (Number.isFinite(value)) return value;
    throw fault(`${showConstant(left)} ${operator} ${showConstant(right)} is beyond the range of a double`, at);
  }
  if (typeof left !== 'bigint' || typeof right !== 'bigint') throw fault(`'${operator}' needs two integers`, at);
  if (operator === '&') return left & right;
  if (operator === '|') return left | right;
  if (operator === '^') return left ^ right;
  if (operator !== '<<' && operator !== '>>') throw fault(`'${operator}' cannot stand between two constants`, at);
  if (right < 0n || right > 63n) throw fault('a shift count is from 0 to 63', at);
  return operator === '>>' ? left >> right : BigInt.asIntN(64, left << right);
}

/** An integer to the power of a non-negative integer is an integer; any other power is a double. */
function power(base: number | bigint, exponent: number | bigint, at: number): number | bigint {
  if (typeof base === 'bigint' && typeof exponent === 'bigint' && exponent >= 0n) {
    // Only −1, 0 and 1 have large powers that an Int64 holds: for them the parity of the exponent is all that counts.
    const small = base >= -1n && base <= 1n;
    if (!small && exponent > 63n) throw fault(`int64 overflow: ${base} ** ${exponent}`, at);
    return int64(base ** (small && exponent > 1n ? 2n + (exponent % 2n) : exponent), at);
  }
  const value = Number(base) ** Number(exponent);
  if (Number.isFinite(value)) return value;
  throw fault(`${base} ** ${exponent} is beyond the range of a double`, at);
}

/**
 * One operation on numbers: integers stay integers, exact, and divide towards zero; the remainder has the dividend's
 * sign. The divisor is not zero.
 */
export function calculate(
  operator: ArithmeticOperator,
  left: number | bigint,
  right: number | bigint,
): number | bigint {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (operator === '+') return left + right;
    if (operator === '-') return left - right;
    if (operator === '*') return left * right;
    return operator === '/' ? left / right : left % right;
  }
  const [a, b] = [Number(left), Number(right)];
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  return operator === '/' ? a / b : a % b;
}

function compareConstants(operator: CompareOperator, left: Constant, right: Constant, at: number): boolean {
  if (typeof left === 'boolean' && operator !== '==' && operator !== '!=') {
    throw fault(`comparison operator ${operator} is not supported on bool`, at);
  }
  const order = typeof left === 'string' ? compareUtf8(left, String(right)) : left < right ? -1 : left > right ? 1 : 0;
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** The value of a template variable: an integral number is an integer, as in JSON. */
export function templateValue(name: string, templates: TemplateValues, at: number): JsonConstant {
  if (Object.hasOwn(templates, name)) return constantOf(templates[name], name, at, 0);
  throw fault(`the value of expression template variable name {${name}} is not found`, at);
}

function constantOf(value: unknown, name: string, at: number, depth: number): JsonConstant {
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return int64(value, at);
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value) && value.length > 0 && depth < TEMPLATE_DEPTH_MAX) {
    return value.map((item) => constantOf(item, name, at, depth + 1));
  }
  throw fault(
    `the value of expression template variable {${name}} must be a bool, a number, a string or a list of these that is not empty`,
    at,
  );
}
