import {
  type CollectionSchema,
  DYNAMIC_FIELD_ID,
  DYNAMIC_FIELD_NAME,
  type ElementType,
  type Field,
  isVector,
} from '../model/schema.ts';
import { isNumber, kindOf, showConstant, type TemplateValues } from './constants.ts';
import type { ArithmeticOperator, ArrayOperand, Constant, JsonConstant, Operand } from './expression.ts';
import { fault } from './fault.ts';
import type { PathSyntax } from './syntax.ts';

/** The type by which an operand's values are compared; JSON values bring their own. */
export type OperandType = ElementType | 'JSON';

/** Something that a row has a value of. Of a whole array the type is that of its elements. */
export interface TypedOperand {
  readonly kind: 'operand';
  readonly operand: Operand | ArrayOperand;
  readonly type: OperandType;
  readonly at: number;
}

/** An operand with one value a row: everything but a whole array. */
export interface ScalarOperand extends TypedOperand {
  readonly operand: Operand;
}

/** A value that no row changes. */
export interface ConstantValue {
  readonly kind: 'constant';
  readonly value: JsonConstant;
  /** It came from a template variable, which has a meaning only beside an operand. */
  readonly isTemplate: boolean;
  readonly at: number;
}

/** What a filter's names mean. */
export interface Scope {
  readonly schema: CollectionSchema;
  readonly templates: TemplateValues;
}

const INTEGERS: ReadonlySet<string> = new Set(['Int8', 'Int16', 'Int32', 'Int64']);

export function isInteger(type: OperandType): boolean {
  return INTEGERS.has(type);
}

export function isNumeric(type: OperandType): boolean {
  return isInteger(type) || type === 'Float' || type === 'Double';
}

/** The field, element, dynamic key or JSON path that a name means. */
export function resolvePath({ name, steps, at }: PathSyntax, { schema }: Scope): TypedOperand {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return { kind: 'operand', operand: jsonPath(name, steps, schema, at), type: 'JSON', at };
  if (isVector(field)) throw fault(`filter on vector field (${name}) is not supported`, at);
  if (field.type === 'JSON') {
    return { kind: 'operand', operand: { kind: 'json', fieldId: field.id, path: steps }, type: 'JSON', at };
  }
  if (field.type === 'Array') return arrayOperand(field, steps, at);
  if (steps.length > 0) throw fault(`${name} data type not supported accessed with []: it is ${field.type}`, at);
  return { kind: 'operand', operand: { kind: 'column', fieldId: field.id }, type: field.type as ElementType, at };
}

function arrayOperand(field: Field, steps: readonly (string | number)[], at: number): TypedOperand {
  const type = field.elementType as ElementType;
  const [index] = steps;
  if (index === undefined) return { kind: 'operand', operand: { kind: 'array', fieldId: field.id }, type, at };
  if (typeof index !== 'number' || steps.length > 1) {
    throw fault(`can only access array field with integer index, but got: ${JSON.stringify(index)}`, at);
  }
  return { kind: 'operand', operand: { kind: 'element', fieldId: field.id, index }, type, at };
}

/** An unknown name is a key of the dynamic field, or of the only JSON column. */
function jsonPath(name: string, steps: readonly (string | number)[], schema: CollectionSchema, at: number): Operand {
  if (schema.enableDynamicField) {
    const path = name === DYNAMIC_FIELD_NAME ? steps : [name, ...steps];
    return { kind: 'json', fieldId: DYNAMIC_FIELD_ID, path };
  }
  const documents = schema.fields.filter((field) => field.type === 'JSON');
  const [only] = documents;
  if (only === undefined || documents.length > 1 || name === DYNAMIC_FIELD_NAME) {
    throw fault(`field ${name} not exist`, at);
  }
  return { kind: 'json', fieldId: only.id, path: [name, ...steps] };
}

/** The operand, if it has one value a row; throws `invalid` for a whole array. */
export function scalarOperand(operand: TypedOperand): ScalarOperand {
  if (operand.operand.kind !== 'array') return operand as ScalarOperand;
  throw fault('a whole array is compared only with a list by == or !=; name an element of it', operand.at);
}

/** One operation between an operand and a constant; `isLeft` says that the constant stands on the left. */
export function resolveArithmetic(
  operator: ArithmeticOperator,
  of: TypedOperand,
  constant: ConstantValue,
  isLeft: boolean,
): TypedOperand {
  const { operand, type, at } = scalarOperand(of);
  const { value } = constant;
  if (operand.kind === 'arithmetic' || operand.kind === 'length') {
    throw fault('only one arithmetic operation between a field and a constant is supported', at);
  }
  if (!isNumber(value)) throw fault(`arithmetic needs a number, not ${showConstant(value)}`, constant.at);
  if (type !== 'JSON' && !isNumeric(type)) throw fault(`arithmetic on ${type} is not supported`, at);
  if (operator === '%' && (typeof value !== 'bigint' || (type !== 'JSON' && !isInteger(type)))) {
    throw fault('modulo can only apply on integer types', at);
  }
  if (operator === '/' || operator === '%') {
    if (isLeft) throw fault('a constant cannot be divided by a field', constant.at);
    if (Number(value) === 0) throw fault('cannot divide by zero', constant.at);
  }
  const staysInteger = isInteger(type) && typeof value === 'bigint';
  // Only between integers is an operation one on integers; what JSON holds decides for itself, row by row.
  const exact = staysInteger || type === 'JSON' ? value : Number(value);
  return {
    kind: 'operand',
    operand: { kind: 'arithmetic', operator, operand, constant: exact, left: isLeft },
    type: type === 'JSON' ? 'JSON' : staysInteger ? 'Int64' : 'Double',
    at,
  };
}

/** The constant as the operand's type has it: an integer fits a float field, a float fits no integer field. */
export function cast(constant: JsonConstant, type: OperandType, at: number): Constant {
  if (Array.isArray(constant)) throw fault(`${showConstant(constant)} is a list where a value is needed`, at);
  const value = constant as Constant;
  if (type === 'JSON') return typeof value === 'bigint' ? jsonInteger(value) : value;
  if (type === 'Bool' && typeof value === 'boolean') return value;
  if (type === 'VarChar' && typeof value === 'string') return value;
  if (isInteger(type) && typeof value === 'bigint') return type === 'Int64' ? value : Number(value);
  if ((type === 'Float' || type === 'Double') && kindOf(value) === 'number') {
    return type === 'Float' ? Math.fround(Number(value)) : Number(value);
  }
  throw fault(`cannot compare ${showConstant(value)} with a value of type ${type}`, at);
}

/** A constant that may be a list, as JSON documents hold it. */
export function castJson(constant: JsonConstant): JsonConstant {
  if (Array.isArray(constant)) return constant.map(castJson);
  return typeof constant === 'bigint' ? jsonInteger(constant) : constant;
}

/** As `parseJson` reads an integer. */
function jsonInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
