import { encodeUtf8 } from '../base/bytes.ts';
import { utf8Length } from '../base/utf8-length.ts';
import { explainScalar, readScalar } from './entity-values.ts';
import {
  ARRAY_CAPACITY_MAX,
  DESCRIPTION_BYTES_MAX,
  DIMENSION_MAX,
  DIMENSION_MIN,
  VARCHAR_BYTES_MAX,
} from './limits.ts';
import { checkFieldName } from './names.ts';
import {
  badRequest,
  invalid,
  isEmpty,
  isRecord,
  missingKey,
  readKey,
  show,
  toInteger,
  toSwitch,
  unsupported,
} from './reject.ts';
import {
  type DataType,
  type DefaultValue,
  type ElementType,
  type Field,
  SCALAR_TYPES,
  VECTOR_TYPES,
} from './schema.ts';

const TYPES: ReadonlySet<string> = new Set([...SCALAR_TYPES, ...VECTOR_TYPES]);
/** What Milvus stores besides. */
const LATER_TYPES: ReadonlySet<string> = new Set([
  'Text',
  'Geometry',
  'Timestamptz',
  'BinaryVector',
  'Float16Vector',
  'BFloat16Vector',
  'SparseFloatVector',
  'Int8Vector',
  'ArrayOfStruct',
  'ArrayOfVector',
  'Struct',
]);
/** Type parameters of what we do not do, and the texts that ask for nothing. */
const LATER_TYPE_PARAMS: Readonly<Record<string, readonly string[]>> = {
  enable_analyzer: ['false'],
  enable_match: ['false'],
  analyzer_params: [],
  multi_analyzer_params: [],
  'mmap.enabled': ['false'],
  warmup: ['disable'],
};

/** What a field of a new collection may be, seen from its collection. */
export interface FieldContext {
  readonly id: number;
  readonly collectionName: string;
  /** Of the primary field. */
  readonly autoId: boolean;
}

/** One entry of `schema.fields`, checked and complete. */
export function draftField(input: unknown, context: FieldContext): Field {
  if (!isRecord(input)) throw badRequest(`schema.fields must hold objects, got ${show(input)}`);
  const name = checkFieldName(readKey(input, 'fieldName'));
  const type = dataTypeOf(readKey(input, 'dataType'), 'dataType', name);
  for (const key of ['isPartitionKey', 'isClusteringKey', 'externalField']) {
    if (!isEmpty(readKey(input, key))) throw unsupported(key, `field ${name}`);
  }
  const params = typeParams(readKey(input, 'elementTypeParams'), name);
  const isPrimary = flag(input, 'isPrimary', name);
  const nullable = flag(input, 'nullable', name);
  const elementType = type === 'Array' ? elementTypeOf(readKey(input, 'elementDataType'), name) : undefined;
  checkRole(name, type, { isPrimary, nullable });
  const field: Field = {
    id: context.id,
    name,
    type,
    description: checkDescription(readKey(input, 'description'), name),
    isPrimary,
    autoId: isPrimary && context.autoId,
    nullable,
    ...(elementType === undefined ? {} : { elementType, maxCapacity: capacityOf(params, name, context) }),
    ...(type === 'VarChar' || elementType === 'VarChar' ? { maxLength: maxLengthOf(params, name, context) } : {}),
    ...(type === 'FloatVector' ? { dimension: dimensionOf(params.get('dim'), name) } : {}),
  };
  const defaultValue = defaultOf(field, readKey(input, 'defaultValue'));
  return defaultValue === undefined ? field : { ...field, defaultValue };
}

/** A description: text of at most 1,024 bytes, empty if absent. */
export function checkDescription(value: unknown, of: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw badRequest(`the description of ${of} must be a string`);
  if (value.isWellFormed() && encodeUtf8(value).length <= DESCRIPTION_BYTES_MAX) return value;
  throw invalid(`the description of ${of} must be text of at most ${DESCRIPTION_BYTES_MAX} bytes`);
}

/** A dimension that FloatVector may have: 2 to 32,768. */
export function dimensionOf(value: unknown, name: string): number {
  if (value === undefined || value === null) {
    throw invalid(
      `dimension is not defined in field type params of field ${name}, check type param \`dim\` for vector field`,
      { details: { field: name } },
    );
  }
  const dimension = toInteger(value);
  if (dimension !== undefined && dimension >= DIMENSION_MIN && dimension <= DIMENSION_MAX) return dimension;
  throw invalid(`invalid dimension: ${show(value)}. should be in range ${DIMENSION_MIN} ~ ${DIMENSION_MAX}`, {
    details: { field: name },
  });
}

/** The `max_length` that a VarChar must have: 1 to 65,535 bytes. */
export function maxLengthOf(params: ReadonlyMap<string, unknown>, name: string, context: FieldContext): number {
  const given = params.get('max_length');
  if (given === undefined || given === null) throw missingTypeParam('max_length', name, context);
  const maxLength = toInteger(given);
  if (maxLength === undefined || maxLength < 1 || maxLength > VARCHAR_BYTES_MAX) {
    throw invalid(
      `the maximum length specified for the field(${name}) should be in (0, ${VARCHAR_BYTES_MAX}], but got ${show(given)} instead`,
      { details: { field: name } },
    );
  }
  return maxLength;
}

function capacityOf(params: ReadonlyMap<string, unknown>, name: string, context: FieldContext): number {
  const given = params.get('max_capacity');
  if (given === undefined || given === null) throw missingTypeParam('max_capacity', name, context);
  const capacity = toInteger(given);
  if (capacity !== undefined && capacity >= 1 && capacity <= ARRAY_CAPACITY_MAX) return capacity;
  throw invalid(
    `the maximum capacity specified for the field(${name}) should be in (0, ${ARRAY_CAPACITY_MAX}], but got ${show(given)} instead`,
    { details: { field: name } },
  );
}

function missingTypeParam(param: string, name: string, context: FieldContext): Error {
  return invalid(
    `type param(${param}) should be specified for the field(${name}) of collection ${context.collectionName}`,
    { milvusCode: 1101, details: { field: name } },
  );
}

function dataTypeOf(value: unknown, key: 'dataType' | 'elementDataType', name: string): DataType {
  if (value === undefined || value === null || value === '') throw missingKey('FieldSchema', key);
  if (typeof value === 'string' && TYPES.has(value)) return value as DataType;
  if (typeof value === 'string' && LATER_TYPES.has(value)) throw unsupported(`${key} ${value}`, `field ${name}`);
  throw invalid(`data type ${show(value)} is invalid(case sensitive)`, {
    expected: [...TYPES].join(', '),
    actual: value,
    details: { field: name },
  });
}

function elementTypeOf(value: unknown, name: string): ElementType {
  const type = dataTypeOf(value, 'elementDataType', name);
  if (type !== 'JSON' && type !== 'Array' && type !== 'FloatVector') return type;
  throw invalid(`element type ${type} is not supported`, { details: { field: name } });
}

/** The type parameters as a map, so that no key of an object can stand for one. */
function typeParams(value: unknown, name: string): ReadonlyMap<string, unknown> {
  if (value === undefined || value === null) return new Map();
  if (!isRecord(value)) throw badRequest(`elementTypeParams of field ${name} must be an object`);
  const params = new Map(Object.entries(value));
  for (const [key, harmless] of Object.entries(LATER_TYPE_PARAMS)) {
    const given = params.get(key);
    if (!isEmpty(given) && !harmless.includes(show(given)))
      throw unsupported(`elementTypeParams.${key}`, `field ${name}`);
  }
  return params;
}

function flag(input: Readonly<Record<string, unknown>>, key: string, name: string): boolean {
  const value = readKey(input, key);
  if (value === undefined || value === null) return false;
  const given = toSwitch(value);
  if (given === undefined) throw badRequest(`${key} of field ${name} must be true or false`, { field: name });
  return given;
}

function checkRole(
  name: string,
  type: DataType,
  role: { readonly isPrimary: boolean; readonly nullable: boolean },
): void {
  const details = { field: name };
  if (role.isPrimary && type !== 'Int64' && type !== 'VarChar') {
    throw invalid('the data type of primary key should be Int64 or VarChar', { details });
  }
  if (role.isPrimary && role.nullable)
    throw invalid(`primary field not support null, field name = ${name}`, { details });
  if (role.nullable && type === 'FloatVector') throw unsupported('nullable of a vector field', `field ${name}`);
}

/** A default value in the field's own type; absent and null say that there is none. */
function defaultOf(field: Field, value: unknown): DefaultValue | undefined {
  if (value === undefined || value === null) return undefined;
  const { name, type } = field;
  const details = { field: name };
  if (field.isPrimary) throw invalid(`primary field not support default_value, field name = ${name}`, { details });
  if (type === 'FloatVector' || type === 'JSON' || type === 'Array') {
    throw invalid(`type not support default_value, type:${type}, name:${name}`, { details });
  }
  // Unlike a row's value, a default has the JSON type of its field: only an Int64 may be a text, to be exact.
  const expected = type === 'Bool' ? ['boolean'] : type === 'VarChar' ? ['string'] : ['number', 'bigint'];
  const isOfType = expected.includes(typeof value) || (type === 'Int64' && typeof value === 'string');
  const read = isOfType ? readScalar(type, value) : undefined;
  if (read === undefined) {
    const why = isOfType
      ? explainScalar(type, name, value)
      : `field ${name} expects a ${expected[0]}, got a ${typeof value}`;
    throw invalid(`convert defaultValue fail, err:${why}`, { details });
  }
  const bytes = typeof read === 'string' ? utf8Length(read) : 0;
  if (bytes > (field.maxLength ?? bytes)) {
    throw invalid(`the length (${bytes}) of string exceeds max length (${field.maxLength})`, { details });
  }
  return read;
}
