import { ElanusError } from '../base/error.ts';
import {
  type CollectionSchema,
  DYNAMIC_FIELD_ID,
  DYNAMIC_FIELD_NAME,
  type ElementType,
  type Field,
  isVector,
} from '../model/schema.ts';
import { calculate, foldConstant, isArithmetic, isList, meaningless, type TemplateValues } from './constants.ts';
import type { ArrayOperand, Operand } from './expression.ts';
import type { Syntax } from './syntax.ts';

/** The type by which an operand's values are compared; JSON values bring their own. */
export type OperandType = ElementType | 'JSON';

export interface TypedOperand {
  readonly operand: Operand;
  readonly type: OperandType;
}

/** What a filter's names mean. */
export interface Scope {
  readonly schema: CollectionSchema;
  readonly templates: TemplateValues;
}

const INTEGERS: ReadonlySet<string> = new Set(['Int8', 'Int16', 'Int32', 'Int64']);
const NUMBERS: ReadonlySet<string> = new Set([...INTEGERS, 'Float', 'Double']);

export function isInteger(type: OperandType): boolean {
  return INTEGERS.has(type);
}

export function isNumeric(type: OperandType): boolean {
  return NUMBERS.has(type);
}

/** A name, a path, one operation on it, or a length; `undefined` for syntax that is none of these. */
export function resolveOperand(syntax: Syntax, scope: Scope): TypedOperand | undefined {
  if (syntax.kind === 'path') {
    const resolved = resolvePath(syntax, scope);
    if (resolved.operand.kind === 'array') throw meaningless(`${syntax.name} is an array; name an element of it`);
    return resolved as TypedOperand;
  }
  if (syntax.kind === 'unary' && syntax.operator === '+') return resolveOperand(syntax.of, scope);
  if (syntax.kind === 'unary' && syntax.operator === '-' && syntax.of.kind === 'path') {
    throw meaningless('unary minus can only be applied to constants');
  }
  if (syntax.kind === 'call' && syntax.name.toLowerCase() === 'array_length') return resolveLength(syntax.args, scope);
  if (syntax.kind === 'binary' && isArithmetic(syntax.operator)) return resolveArithmetic(syntax, scope);
  if (syntax.kind === 'binary' && ['&', '|', '^', '<<', '>>'].includes(syntax.operator)) {
    throw notYet(`the bitwise operator ${syntax.operator}`);
  }
  if (syntax.kind === 'unary' && syntax.operator === '~') throw notYet('the bitwise operator ~');
  return undefined;
}

/** A name or path, where a whole array is allowed too. */
export function resolvePath(
  syntax: Extract<Syntax, { kind: 'path' }>,
  scope: Scope,
): TypedOperand | { readonly operand: ArrayOperand; readonly type: ElementType } {
  const { name, steps } = syntax;
  const { schema } = scope;
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return { operand: jsonPath(name, steps, schema), type: 'JSON' };
  if (isVector(field)) throw meaningless(`vector field ${name} cannot be filtered`);
  if (field.type === 'JSON') return { operand: { kind: 'json', fieldId: field.id, path: steps }, type: 'JSON' };
  if (field.type === 'Array') return arrayOperand(field, steps);
  if (steps.length > 0) throw meaningless(`${name} is ${field.type}: only JSON and Array fields have elements`);
  return { operand: { kind: 'column', fieldId: field.id }, type: field.type as ElementType };
}

function arrayOperand(
  field: Field,
  steps: readonly (string | number)[],
): TypedOperand | { operand: ArrayOperand; type: ElementType } {
  const type = field.elementType as ElementType;
  const [index] = steps;
  if (index === undefined) return { operand: { kind: 'array', fieldId: field.id }, type };
  if (typeof index !== 'number' || steps.length > 1) {
    throw meaningless('can only access array field with integer index');
  }
  return { operand: { kind: 'element', fieldId: field.id, index }, type };
}

/** An unknown name is a key of the dynamic field, or of the only JSON column. */
function jsonPath(name: string, steps: readonly (string | number)[], schema: CollectionSchema): Operand {
  if (name === DYNAMIC_FIELD_NAME && schema.enableDynamicField) {
    return { kind: 'json', fieldId: DYNAMIC_FIELD_ID, path: steps };
  }
  if (schema.enableDynamicField) return { kind: 'json', fieldId: DYNAMIC_FIELD_ID, path: [name, ...steps] };
  const documents = schema.fields.filter((field) => field.type === 'JSON');
  const only = documents.length === 1 ? documents[0] : undefined;
  if (only === undefined) throw meaningless(`field ${name} not exist`);
  return { kind: 'json', fieldId: only.id, path: [name, ...steps] };
}

function resolveLength(args: readonly Syntax[], scope: Scope): TypedOperand {
  const [array] = args;
  if (args.length !== 1 || array?.kind !== 'path') throw meaningless('array_length takes one array');
  const { operand } = resolvePath(array, scope);
  if (operand.kind !== 'array' && operand.kind !== 'json') throw meaningless(`${array.name} is no array`);
  return { operand: { kind: 'length', of: operand }, type: 'Int64' };
}

function resolveArithmetic(syntax: Extract<Syntax, { kind: 'binary' }>, scope: Scope): TypedOperand | undefined {
  const operator = syntax.operator;
  if (!isArithmetic(operator)) return undefined;
  const left = foldConstant(syntax.left, scope.templates);
  const right = foldConstant(syntax.right, scope.templates);
  if ((left === undefined) === (right === undefined)) {
    throw meaningless('arithmetic is between one field and one constant');
  }
  const constant = left ?? right;
  const base = resolveOperand(left === undefined ? syntax.left : syntax.right, scope);
  if (base === undefined) throw meaningless('arithmetic is between one field and one constant');
  if (base.operand.kind === 'arithmetic' || base.operand.kind === 'length') {
    throw meaningless('only one arithmetic operation on a field is supported');
  }
  if (constant === undefined || isList(constant) || (typeof constant !== 'bigint' && typeof constant !== 'number')) {
    throw meaningless('arithmetic needs a number');
  }
  if (base.type !== 'JSON' && !isNumeric(base.type)) throw meaningless(`arithmetic on ${base.type} is not supported`);
  if (left !== undefined && (operator === '/' || operator === '%')) {
    throw meaningless(`a constant cannot be divided by a field`);
  }
  if (operator === '%' && (typeof constant !== 'bigint' || (base.type !== 'JSON' && !isInteger(base.type)))) {
    throw meaningless('modulo can only apply on integer types');
  }
  if (operator === '/' || operator === '%') calculate(operator, 1n, constant);
  const integer = isInteger(base.type) && typeof constant === 'bigint';
  const operand: Operand = { kind: 'arithmetic', operator, operand: base.operand, constant, left: left !== undefined };
  return { operand, type: base.type === 'JSON' ? 'JSON' : integer ? 'Int64' : 'Double' };
}

/** The error for what Milvus's language has and ours has not yet. */
export function notYet(what: string): ElanusError {
  return new ElanusError('unsupported', `Filters do not support ${what} yet.`, { details: { feature: what } });
}
