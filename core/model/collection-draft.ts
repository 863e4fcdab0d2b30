import type { CreateCollectionBody } from './collection-body.ts';
import { readConsistencyLevel } from './consistency.ts';
import { checkDescription, dimensionOf, draftField, maxLengthOf } from './field-draft.ts';
import { draftIndexes, readMetric } from './index-draft.ts';
import { FIELDS_MAX, SHARDS_MAX, VECTOR_FIELDS_MAX } from './limits.ts';
import { checkCollectionName, checkDatabaseName, checkFieldName } from './names.ts';
import { badRequest, invalid, isEmpty, isRecord, readKey, show, toInteger, toSwitch, unsupported } from './reject.ts';
import {
  type CollectionMeta,
  type CollectionSchema,
  type ConsistencyLevel,
  EMBEDDER_PROPERTY,
  type Field,
  type IndexMeta,
  isVector,
} from './schema.ts';

/** A collection as it is to be created: everything but what the coordinator decides. */
export type CollectionDraft = Omit<CollectionMeta, 'id' | 'version'>;

type Input = Readonly<Record<string, unknown>>;

const FIRST_FIELD_ID = 100;
/** An automatic key is below 2^53, which has 16 digits. */
const AUTO_KEY_DIGITS = 16;

/** Keys of a body, of its `schema`, `params` and `properties` that Elanus does not do yet, with the texts that ask for nothing. */
const LATER_SCHEMA_KEYS = ['structFields', 'externalSource', 'externalSpec'] as const;
const LATER_PARAMS: Readonly<Record<string, readonly string[]>> = {
  ttlSeconds: ['-1', '0'],
  ttlField: [],
  partitionKeyIsolation: ['false'],
  'mmap.enabled': ['false'],
  'warmup.scalarField': ['disable'],
  'warmup.scalarIndex': ['disable'],
  'warmup.vectorField': ['disable'],
  'warmup.vectorIndex': ['disable'],
};
const LATER_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  'collection.ttl.seconds': ['-1', '0'],
  'ttl.seconds': ['-1', '0'],
  ttl_field: [],
  'mmap.enabled': ['false'],
  'partitionkey.isolation': ['false'],
  allow_insert_auto_id: ['false'],
};

/**
 * What a create call asks for, checked and complete: the schema form if `schema.fields` says something, quick set-up
 * otherwise. Whatever is wrong is refused with the code and the words of Milvus; what Milvus defines and Elanus does
 * not do yet with `unsupported`. Indexes are recorded; a field without one makes a collection that is not loaded.
 */
export function draftCollection(body: CreateCollectionBody, defaultDatabase = 'default'): CollectionDraft {
  const input: unknown = body;
  if (!isRecord(input)) throw badRequest(`a create call takes an object, got ${show(input)}`);
  const collectionName = checkCollectionName(readKey(input, 'collectionName'));
  const databaseName = checkDatabaseName(readKey(input, 'dbName'), defaultDatabase);
  const params = section(input, 'params');
  const schema = section(input, 'schema');
  refuseLater(params, 'params', LATER_PARAMS);
  if (!isEmpty(readKey(params, 'partitionsNum'))) {
    throw invalid('num_partitions should only be specified with partition key field enabled', {
      details: { field: 'partitionsNum' },
    });
  }
  const fields = readKey(schema, 'fields');
  const parts = isEmpty(fields) ? quickSetUp(input, schema, params) : schemaForm(input, schema, fields, collectionName);
  checkSchema(parts.schema.fields);
  return {
    databaseName,
    collectionName,
    description: checkDescription(descriptionOf(input, schema), `collection ${collectionName}`),
    schema: parts.schema,
    indexes: parts.indexes,
    consistencyLevel: levelOf(input, params),
    shardsNum: shardsOf(params),
    properties: propertiesOf(input),
  };
}

/**
 * Whether two definitions are one: creating the same collection again is a no-op. The model of a vector field counts
 * only where both name one: a collection may have been created by somebody who had no embedder.
 */
export function sameCollection(a: CollectionDraft, b: CollectionDraft): boolean {
  const named = (key: string): boolean =>
    !key.startsWith(EMBEDDER_PROPERTY) || (Object.hasOwn(a.properties, key) && Object.hasOwn(b.properties, key));
  return canonical(definitionOf(a, named)) === canonical(definitionOf(b, named));
}

interface Parts {
  readonly schema: CollectionSchema;
  readonly indexes: readonly IndexMeta[];
}

function quickSetUp(input: Input, schema: Input, params: Input): Parts {
  if (!isEmpty(readKey(schema, 'functions'))) {
    throw invalid('functions are not supported for quickly create collection', { details: { key: 'functions' } });
  }
  if (!isEmpty(readKey(schema, 'structFields'))) throw unsupported('structFields');
  checkVectorFieldType(readKey(input, 'vectorFieldType'));
  const dimension = readKey(input, 'dimension');
  if (isEmpty(dimension)) {
    throw invalid('dimension is required for quickly create collection(default metric type: COSINE)', {
      expected: 'collectionName & dimension',
      actual: 'collectionName',
      details: { field: 'dimension' },
    });
  }
  const vectorName = nameOr(readKey(input, 'vectorFieldName'), 'vector');
  const keyName = nameOr(readKey(input, 'primaryFieldName'), 'id');
  const idType = keyTypeOf(readKey(input, 'idType'));
  const autoId = switchOr(input, 'autoID', false);
  const context = { id: FIRST_FIELD_ID, collectionName: String(readKey(input, 'collectionName')), autoId };
  const base = { description: '', nullable: false };
  const key: Field = { ...base, id: FIRST_FIELD_ID, name: keyName, type: idType, isPrimary: true, autoId };
  const fields: Field[] = [
    idType === 'VarChar' ? { ...key, maxLength: maxLengthOf(new Map(Object.entries(params)), keyName, context) } : key,
    {
      ...base,
      id: FIRST_FIELD_ID + 1,
      name: vectorName,
      type: 'FloatVector',
      isPrimary: false,
      autoId: false,
      dimension: dimensionOf(dimension, vectorName),
    },
  ];
  const metricType = readMetric(readKey(input, 'metricType'));
  const asked = readKey(input, 'indexParams');
  return {
    schema: { fields, enableDynamicField: switchOr(params, 'enableDynamicField', true) },
    // Milvus ignores `indexParams` here; an index that was asked for is better honoured than forgotten.
    indexes: isEmpty(asked)
      ? [{ indexName: vectorName, fieldName: vectorName, indexType: 'AUTOINDEX', metricType, params: {} }]
      : draftIndexes(asked, fields),
  };
}

function schemaForm(input: Input, schema: Input, fields: unknown, collectionName: string): Parts {
  if (!Array.isArray(fields)) throw badRequest('schema.fields must be a list', { field: 'fields' });
  for (const key of LATER_SCHEMA_KEYS) if (!isEmpty(readKey(schema, key))) throw unsupported(`schema.${key}`);
  if (!isEmpty(readKey(schema, 'functions'))) throw unsupported('schema.functions', 'send vectors, not texts');
  if (fields.length > FIELDS_MAX) throw invalid(`maximum field's number should be limited to ${FIELDS_MAX}`);
  const autoId = switchOr(schema, 'autoID', false);
  const drafted = fields.map((field: unknown, index) =>
    draftField(field, { id: FIRST_FIELD_ID + index, collectionName, autoId }),
  );
  // `enabledDynamicField` is how older Milvus clients spell it.
  const dynamic = switchOr(schema, 'enableDynamicField', switchOr(schema, 'enabledDynamicField', false));
  return {
    schema: { fields: drafted, enableDynamicField: dynamic },
    indexes: draftIndexes(readKey(input, 'indexParams'), drafted),
  };
}

function checkSchema(fields: readonly Field[]): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw invalid(`duplicated field name ${name} found`, { details: { field: name } });
    names.add(name);
  }
  const keys = fields.filter((field) => field.isPrimary);
  const [key] = keys;
  if (key === undefined) throw invalid('primary key is not specified', { milvusCode: 1101 });
  if (keys.length > 1) {
    throw invalid(`there are more than one primary key, field name = ${keys.map((field) => field.name).join(', ')}`);
  }
  if (key.autoId && key.maxLength !== undefined && key.maxLength < AUTO_KEY_DIGITS) {
    throw invalid(`max_length of the automatic primary key ${key.name} must be at least ${AUTO_KEY_DIGITS}`, {
      details: { field: key.name },
    });
  }
  const vectors = fields.filter(isVector).length;
  if (vectors === 0) throw invalid('schema does not contain vector field');
  if (vectors > VECTOR_FIELDS_MAX) {
    throw invalid(`maximum vector field's number should be limited to ${VECTOR_FIELDS_MAX}`);
  }
}

function keyTypeOf(value: unknown): 'Int64' | 'VarChar' {
  if (isEmpty(value) || value === 'Int64' || value === 'int64') return 'Int64';
  if (value === 'VarChar' || value === 'Varchar') return 'VarChar';
  throw invalid('idType can only be [Int64, VarChar], default: Int64', {
    expected: 'Int64, VarChar',
    actual: value,
    details: { field: 'idType' },
  });
}

function checkVectorFieldType(value: unknown): void {
  const later = ['BinaryVector', 'Float16Vector', 'BFloat16Vector', 'SparseFloatVector'];
  if (isEmpty(value) || value === 'FloatVector') return;
  if (typeof value === 'string' && later.includes(value))
    throw unsupported(`vectorFieldType ${value}`, 'use FloatVector');
  throw invalid(`vectorFieldType can only be [FloatVector, ${later.join(', ')}], default: FloatVector`, {
    expected: `FloatVector, ${later.join(', ')}`,
    actual: value,
    details: { field: 'vectorFieldType' },
  });
}

function nameOr(value: unknown, fallback: string): string {
  return isEmpty(value) ? fallback : checkFieldName(value);
}

function switchOr(input: Input, key: string, fallback: boolean): boolean {
  const value = readKey(input, key);
  if (value === undefined || value === null || value === '') return fallback;
  const given = toSwitch(value);
  if (given === undefined) throw badRequest(`${key} must be true or false, got ${show(value)}`, { field: key });
  return given;
}

function section(input: Input, key: string): Input {
  const value = readKey(input, key);
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw badRequest(`${key} must be an object, got ${show(value)}`, { field: key });
  return value;
}

function refuseLater(input: Input, where: string, later: Readonly<Record<string, readonly string[]>>): void {
  for (const [key, harmless] of Object.entries(later)) {
    const value = readKey(input, key);
    if (!isEmpty(value) && !harmless.includes(show(value))) throw unsupported(`${where}.${key}`);
  }
}

function levelOf(input: Input, params: Input): ConsistencyLevel {
  const above = readConsistencyLevel(readKey(input, 'consistencyLevel'), undefined);
  const within = readConsistencyLevel(readKey(params, 'consistencyLevel'), undefined);
  if (above !== undefined && within !== undefined && above !== within) {
    throw invalid('top-level consistencyLevel conflicts with params.consistencyLevel', {
      details: { field: 'consistencyLevel' },
    });
  }
  return above ?? within ?? 'Bounded';
}

function shardsOf(params: Input): number {
  const value = readKey(params, 'shardsNum');
  if (isEmpty(value)) return 1;
  const shards = toInteger(value);
  if (shards === undefined)
    throw badRequest(`shardsNum must be an integer, got ${show(value)}`, { field: 'shardsNum' });
  if (shards > SHARDS_MAX) throw invalid(`maximum shards's number should be limited to ${SHARDS_MAX}`);
  return Math.max(shards, 1);
}

function descriptionOf(input: Input, schema: Input): unknown {
  const own = readKey(input, 'description');
  return isEmpty(own) ? readKey(schema, 'description') : own;
}

/** Of the properties only the time zone and Elanus's own are kept: Milvus too ignores the others at creation. */
function propertiesOf(input: Input): Readonly<Record<string, string>> {
  const properties = section(input, 'properties');
  refuseLater(properties, 'properties', LATER_PROPERTIES);
  const kept = Object.entries(properties).filter(
    ([key, value]) =>
      (key === 'timezone' || key.startsWith('elanus.')) && ['string', 'number', 'boolean'].includes(typeof value),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, String(value)]));
}

function definitionOf(draft: CollectionDraft, counts: (property: string) => boolean): CollectionDraft {
  const { databaseName, collectionName, description, schema, indexes, consistencyLevel, shardsNum } = draft;
  const properties = Object.fromEntries(Object.entries(draft.properties).filter(([key]) => counts(key)));
  return { databaseName, collectionName, description, schema, indexes, consistencyLevel, shardsNum, properties };
}

/** A text that two plain values share if and only if they are equal, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isRecord(value)) return Object.is(value, -0) ? '0' : (JSON.stringify(value) ?? 'undefined');
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join()}}`;
}
