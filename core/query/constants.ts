import { ElanusError } from '../base/error.ts';
import type { ArithmeticOperator, CompareOperator, Constant, JsonConstant } from './expression.ts';
import type { Syntax } from './syntax.ts';

/** The values of template variables, as a request gives them. */
export type TemplateValues = Readonly<Record<string, unknown>>;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** An error of meaning: the filter can be parsed, but says what cannot be. */
export function meaningless(what: string): ElanusError {
  return new ElanusError('invalid', what, { milvusCode: 1100 });
}

/** The value of a piece of syntax that no row changes; `undefined` if a row does. */
export function foldConstant(syntax: Syntax, templates: TemplateValues): JsonConstant | undefined {
  const value = fold(syntax, templates);
  return typeof value === 'bigint' ? int64(value) : value;
}

function int64(value: bigint): bigint {
  if (value >= INT64_MIN && value <= INT64_MAX) return value;
  throw meaningless(`int64 overflow: ${value}`);
}

function fold(syntax: Syntax, templates: TemplateValues): JsonConstant | undefined {
  switch (syntax.kind) {
    case 'integer':
    case 'float':
    case 'string':
    case 'boolean':
      return syntax.value;
    case 'variable':
      return templateValue(syntax.name, templates);
    case 'list': {
      const items = syntax.items.map((item) => foldConstant(item, templates));
      if (items.every((item) => item !== undefined)) return items;
      throw meaningless('the elements of a list must be constants');
    }
    case 'unary':
      return foldUnary(syntax.operator, fold(syntax.of, templates));
    case 'binary': {
      const left = fold(syntax.left, templates);
      const right = fold(syntax.right, templates);
      if (left === undefined || right === undefined) return undefined;
      return foldBinary(syntax.operator, left, right);
    }
    default:
      return undefined;
  }
}

function foldUnary(operator: string, value: JsonConstant | undefined): JsonConstant | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (operator === '-') return -value;
    if (operator === '+') return value;
  }
  if (operator === 'not' && typeof value === 'boolean') return !value;
  if (value === undefined || operator === 'exists') return undefined;
  throw meaningless(`'${operator}' cannot be applied to ${showConstant(value)}`);
}

function foldBinary(operator: string, left: JsonConstant, right: JsonConstant): JsonConstant | undefined {
  const isNumber = (value: JsonConstant): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';
  if (operator === '**' && isNumber(left) && isNumber(right)) {
    if (typeof left === 'bigint' && typeof right === 'bigint' && right >= 0n && right < 64n) return left ** right;
    return Number(left) ** Number(right);
  }
  if (operator === 'and' && typeof left === 'boolean' && typeof right === 'boolean') return left && right;
  if (operator === 'or' && typeof left === 'boolean' && typeof right === 'boolean') return left || right;
  if (isComparison(operator)) {
    if (isList(left) || isList(right)) throw meaningless('two lists cannot be compared');
    return compareConstants(operator, left, right);
  }
  if (isArithmetic(operator) && isNumber(left) && isNumber(right)) return calculate(operator, left, right);
  return undefined;
}

export function isList(value: JsonConstant): value is readonly JsonConstant[] {
  return Array.isArray(value);
}

export function isComparison(operator: string): operator is CompareOperator {
  return ['==', '!=', '<', '<=', '>', '>='].includes(operator);
}

export function isArithmetic(operator: string): operator is ArithmeticOperator {
  return ['+', '-', '*', '/', '%'].includes(operator);
}

/** One operation on numbers: integers stay integers and divide towards zero; a division by zero is an error. */
export function calculate(operator: ArithmeticOperator, left: number | bigint, right: number | bigint): number | bigint {
  if ((operator === '/' || operator === '%') && Number(right) === 0) throw meaningless('division by zero');
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
  if (operator === '/') return a / b;
  throw meaningless("'%' needs integers");
}

/** Compares two constants of one kind; numbers of any kind by value. */
function compareConstants(operator: CompareOperator, left: Constant, right: Constant): boolean {
  if (kindOf(left) !== kindOf(right)) {
    throw meaningless(`${showConstant(left)} and ${showConstant(right)} cannot be compared`);
  }
  if (operator === '==') return left == right; // biome-ignore lint/suspicious/noDoubleEquals: 1n equals 1 by value.
  if (operator === '!=') return left != right; // biome-ignore lint/suspicious/noDoubleEquals: as above.
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  if (operator === '>') return left > right;
  return left >= right;
}

/** `number`, `string` or `boolean`: what is comparable with what. */
export function kindOf(value: Constant): 'number' | 'string' | 'boolean' {
  const kind = typeof value;
  return kind === 'string' || kind === 'boolean' ? kind : 'number';
}

export function showConstant(value: JsonConstant): string {
  if (isList(value)) return `[${value.map(showConstant).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function templateValue(name: string, templates: TemplateValues): JsonConstant {
  if (!Object.hasOwn(templates, name)) {
    throw meaningless(`the value of expression template variable name {${name}} is not found`);
  }
  return constantOf(templates[name], name);
}

function constantOf(value: unknown, name: string): JsonConstant {
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return int64(value);
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value) && value.length > 0) return value.map((item) => constantOf(item, name));
  throw meaningless(`the value of expression template variable {${name}} must be a bool, a number, a string or a list of these`);
}
