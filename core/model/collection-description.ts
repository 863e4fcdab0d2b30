import { shortestFloat32 } from '../base/float32.ts';
import type { CollectionDescription, FieldDescription } from './collection-body.ts';
import { type CollectionMeta, type Field, isVector, primaryField } from './schema.ts';

/** What the catalog says of a collection. */
export interface DescribedCollection {
  readonly meta: CollectionMeta;
  readonly loaded: boolean;
}

/**
 * The answer to `collections/describe`, key by key as Milvus gives it. The default of an Int64 field is a bigint, like
 * every Int64 in an answer of the engine.
 */
export function describeCollection({ meta, loaded }: DescribedCollection): CollectionDescription {
  const { schema } = meta;
  return {
    collectionName: meta.collectionName,
    collectionID: meta.id,
    description: meta.description,
    autoId: primaryField(schema).autoId,
    fields: schema.fields.map(describeField),
    structFields: [],
    functions: [],
    aliases: [],
    indexes: meta.indexes.map(({ indexName, fieldName, metricType }) => ({ indexName, fieldName, metricType })),
    load: loaded ? 'LoadStateLoaded' : 'LoadStateNotLoad',
    shardsNum: meta.shardsNum,
    partitionsNum: 1,
    consistencyLevel: meta.consistencyLevel,
    enableDynamicField: schema.enableDynamicField,
    externalSource: '',
    externalSpec: '',
    properties: Object.entries({ timezone: 'UTC', ...meta.properties }).map(([key, value]) => ({ key, value })),
  };
}

function describeField(field: Field): FieldDescription {
  const params = paramsOf(field);
  return {
    id: field.id,
    name: field.name,
    type: field.type,
    ...(field.elementType === undefined ? {} : { elementType: field.elementType }),
    ...(params.length === 0 ? {} : { params }),
    primaryKey: field.isPrimary,
    partitionKey: false,
    clusteringKey: false,
    autoId: field.autoId,
    nullable: field.nullable,
    description: field.description,
    ...(field.defaultValue === undefined
      ? {}
      : { defaultValue: { Data: { [dataKeyOf(field)]: shownDefault(field) } } }),
  };
}

function paramsOf(field: Field): { readonly key: string; readonly value: string }[] {
  const given = [
    ['dim', isVector(field) ? field.dimension : undefined],
    ['max_length', field.maxLength],
    ['max_capacity', field.maxCapacity],
  ] as const;
  return given.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: String(value) }]));
}

function shownDefault({ type, defaultValue }: Field): unknown {
  return type === 'Float' && typeof defaultValue === 'number' ? shortestFloat32(defaultValue) : defaultValue;
}

/** Milvus shows a default in the shape of its protobuf message, whose key names the wire type. */
function dataKeyOf(field: Field): string {
  switch (field.type) {
    case 'Bool':
      return 'BoolData';
    case 'Int64':
      return 'LongData';
    case 'Float':
      return 'FloatData';
    case 'Double':
      return 'DoubleData';
    case 'VarChar':
      return 'StringData';
    default:
      return 'IntData';
  }
}
