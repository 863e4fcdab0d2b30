import type { Metric } from './metric.ts';

/** Milvus's names of the field types that Elanus stores. */
export const SCALAR_TYPES = [
  'Bool',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float',
  'Double',
  'VarChar',
  'JSON',
  'Array',
] as const;
export const VECTOR_TYPES = ['FloatVector'] as const;

export type ScalarType = (typeof SCALAR_TYPES)[number];
export type VectorType = (typeof VECTOR_TYPES)[number];
export type DataType = ScalarType | VectorType;
/** What an Array may hold. */
export type ElementType = Exclude<ScalarType, 'JSON' | 'Array'>;

/** A default value as it is stored: Int64 as bigint, other numbers as number. */
export type DefaultValue = boolean | number | bigint | string;

/** One field of a collection, checked and complete. Plain, so that it crosses every boundary. */
export interface Field {
  /** From 100 upwards, as Milvus numbers them; names the field in stored objects. */
  readonly id: number;
  readonly name: string;
  readonly type: DataType;
  readonly description: string;
  readonly isPrimary: boolean;
  readonly autoId: boolean;
  readonly nullable: boolean;
  readonly defaultValue?: DefaultValue;
  /** Of an Array. */
  readonly elementType?: ElementType;
  /** Most elements of an Array. */
  readonly maxCapacity?: number;
  /** Most UTF-8 bytes of a VarChar, or of each VarChar in an Array. */
  readonly maxLength?: number;
  /** Of a FloatVector. */
  readonly dimension?: number;
}

/** The dynamic field: one JSON object a row, stored under this name and id. */
export const DYNAMIC_FIELD_NAME = '$meta';
export const DYNAMIC_FIELD_ID: number = 1;

/** The property of a collection that names the model of a vector field's vectors ends in the name of the field. */
export const EMBEDDER_PROPERTY = 'elanus.embedder.';

export interface CollectionSchema {
  readonly fields: readonly Field[];
  readonly enableDynamicField: boolean;
}

/** How one vector field is indexed and compared. */
export interface IndexMeta {
  readonly indexName: string;
  readonly fieldName: string;
  /** As the user named it; `AUTOINDEX` by default. Every type is served by FLAT for now. */
  readonly indexType: string;
  readonly metricType: Metric;
  readonly params: Readonly<Record<string, unknown>>;
}

export type ConsistencyLevel = 'Strong' | 'Bounded' | 'Session' | 'Eventually';

/** What a collection is: the object `collections/<id>/meta/<version>`, written before the catalog names it. */
export interface CollectionMeta {
  readonly id: number;
  readonly version: number;
  readonly databaseName: string;
  readonly collectionName: string;
  readonly description: string;
  readonly schema: CollectionSchema;
  readonly indexes: readonly IndexMeta[];
  readonly consistencyLevel: ConsistencyLevel;
  readonly shardsNum: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** The primary key field; every schema has exactly one. */
export function primaryField(schema: CollectionSchema): Field {
  const field = schema.fields.find((candidate) => candidate.isPrimary);
  if (field === undefined) throw new RangeError('A schema without a primary key was stored.');
  return field;
}

export function isVector(field: Field): boolean {
  return field.type === 'FloatVector';
}

/** The channels of a collection: one ordered stream of writes each. */
export function channelNames(collectionId: number, shardsNum: number): string[] {
  return Array.from({ length: shardsNum }, (_, shard) => `${collectionId}-${shard}`);
}

/** The metric by which a vector field is searched: its index's, or COSINE as Milvus defaults to. */
export function metricOf(meta: CollectionMeta, fieldId: number): Metric {
  const field = meta.schema.fields.find((candidate) => candidate.id === fieldId);
  return meta.indexes.find((index) => index.fieldName === field?.name)?.metricType ?? 'COSINE';
}

/** The database that is there from the beginning, and that is meant where none is named. */
export const DEFAULT_DATABASE = 'default';
/** The one partition that there is for now, `_default`. */
export const DEFAULT_PARTITION_ID: number = 0;
