import type { ConsistencyLevel } from './schema.ts';

/** Where a call goes. */
export interface InCollection {
  readonly collectionName: string;
  /** `default` if absent. */
  readonly dbName?: string;
}

/** Keys that Milvus defines and Elanus does not do yet: refused (`unsupported`) unless empty or their default. */
export interface NotYet {
  readonly [key: string]: unknown;
}

/** A field of `schema.fields`. */
export interface FieldSchemaInput {
  readonly fieldName: string;
  /** `Bool Int8 Int16 Int32 Int64 Float Double VarChar JSON Array FloatVector` */
  readonly dataType: string;
  readonly elementDataType?: string;
  readonly isPrimary?: boolean;
  readonly nullable?: boolean;
  readonly defaultValue?: unknown;
  readonly description?: string;
  /** `dim` of a vector, `max_length` of VarChar in bytes, `max_capacity` of Array; numbers or numeric strings. */
  readonly elementTypeParams?: Readonly<Record<string, unknown>>;
}

/** An index to be made with the collection. */
export interface IndexParamsInput {
  readonly fieldName: string;
  readonly indexName?: string;
  readonly indexType?: string;
  readonly metricType?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Quick set-up (`dimension`) or schema form (`schema.fields`). */
export interface CreateCollectionBody extends InCollection, NotYet {
  readonly dimension?: number;
  /** `COSINE` by default. */
  readonly metricType?: string;
  /** `Int64` (default) or `VarChar` (then `params.max_length`). */
  readonly idType?: string;
  readonly autoID?: boolean;
  readonly primaryFieldName?: string;
  readonly vectorFieldName?: string;
  readonly description?: string;
  readonly schema?: {
    readonly autoID?: boolean;
    readonly enableDynamicField?: boolean;
    readonly fields?: readonly FieldSchemaInput[];
    readonly [key: string]: unknown;
  };
  readonly indexParams?: readonly IndexParamsInput[];
  readonly consistencyLevel?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** `collections/describe` of REST v2, field by field. */
export interface CollectionDescription {
  readonly collectionName: string;
  readonly collectionID: number;
  readonly description: string;
  readonly autoId: boolean;
  readonly fields: readonly FieldDescription[];
  readonly structFields: readonly unknown[];
  readonly functions: readonly unknown[];
  readonly aliases: readonly string[];
  readonly indexes: readonly { readonly indexName: string; readonly fieldName: string; readonly metricType: string }[];
  readonly load: 'LoadStateLoaded' | 'LoadStateNotLoad';
  readonly shardsNum: number;
  readonly partitionsNum: number;
  readonly consistencyLevel: ConsistencyLevel;
  readonly enableDynamicField: boolean;
  readonly externalSource: string;
  readonly externalSpec: string;
  readonly properties: readonly { readonly key: string; readonly value: string }[];
}

/** A field, as `collections/describe` tells it. */
export interface FieldDescription {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly elementType?: string;
  readonly params?: readonly { readonly key: string; readonly value: string }[];
  readonly primaryKey: boolean;
  readonly partitionKey: boolean;
  readonly clusteringKey: boolean;
  readonly autoId: boolean;
  readonly nullable: boolean;
  readonly description: string;
  readonly defaultValue?: unknown;
}
