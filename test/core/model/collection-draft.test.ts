import { describe, expect, test } from 'vitest';
import { describeCollection } from '../../../core/model/collection-description.ts';
import { sameCollection } from '../../../core/model/collection-draft.ts';
import { draft, type Json, key, quick, schemaForm, vector } from './bodies.ts';

describe('quick set-up', () => {
  test('has the names, types and defaults of Milvus', () => {
    expect(draft(quick())).toEqual({
      databaseName: 'default',
      collectionName: 'c',
      description: '',
      schema: {
        enableDynamicField: true,
        fields: [
          { id: 100, name: 'id', type: 'Int64', description: '', isPrimary: true, autoId: false, nullable: false },
          {
            id: 101,
            name: 'vector',
            type: 'FloatVector',
            description: '',
            isPrimary: false,
            autoId: false,
            nullable: false,
            dimension: 8,
          },
        ],
      },
      indexes: [{ indexName: 'vector', fieldName: 'vector', indexType: 'AUTOINDEX', metricType: 'COSINE', params: {} }],
      consistencyLevel: 'Bounded',
      shardsNum: 1,
      properties: {},
    });
  });

  test('takes every key it knows, numbers as text and keys in another case', () => {
    const made = draft({
      dbName: 'shop',
      collectionName: 'c',
      dimension: '16',
      metricType: 'L2',
      idType: 'Varchar',
      autoId: true,
      primaryFieldName: 'key',
      vectorFieldName: 'emb',
      description: 'd',
      consistencyLevel: 'Strong',
      params: { max_length: '64', enableDynamicField: 'false', shardsNum: '2' },
      properties: { timezone: 'UTC', 'elanus.embedder': 'm', 'something.else': 1 },
    });
    expect(made.schema.fields[0]).toMatchObject({ name: 'key', type: 'VarChar', autoId: true, maxLength: 64 });
    expect(made.schema.fields[1]).toMatchObject({ name: 'emb', dimension: 16 });
    expect(made).toMatchObject({
      databaseName: 'shop',
      description: 'd',
      consistencyLevel: 'Strong',
      shardsNum: 2,
      properties: { timezone: 'UTC', 'elanus.embedder': 'm' },
      schema: { enableDynamicField: false },
    });
    expect(made.indexes[0]?.metricType).toBe('L2');
  });

  test('passes what says nothing', () => {
    const empty = { schema: { fields: [], functions: [] }, indexParams: [], properties: {}, consistencyLevel: '' };
    const params = { ttlSeconds: 0, partitionsNum: 0, 'mmap.enabled': false, partitionKeyIsolation: 'false' };
    expect(draft(quick({ ...empty, params, vectorFieldType: 'FloatVector' }))).toEqual(draft(quick()));
  });
});

describe('schema form', () => {
  test('keeps every kind of field, complete', () => {
    const made = draft({
      collectionName: 'c',
      schema: {
        autoId: true,
        enabledDynamicField: true,
        fields: [
          key,
          vector,
          {
            fieldName: 'tags',
            dataType: 'Array',
            elementDataType: 'VarChar',
            elementTypeParams: { max_capacity: '16', max_length: 32 },
          },
          {
            fieldName: 'note',
            dataType: 'VarChar',
            nullable: true,
            defaultValue: 'n/a',
            elementTypeParams: { max_length: 256, enable_match: false },
          },
          { fieldName: 'big', dataType: 'Int64', defaultValue: '9223372036854775807' },
          { fieldName: 'price', dataType: 'Float', defaultValue: 0.1, description: 'in EUR' },
          { fieldName: 'doc', dataType: 'JSON', nullable: true },
        ],
      },
      indexParams: [
        {
          fieldName: 'emb',
          indexName: 'e',
          metricType: 'IP',
          indexType: 'HNSW',
          params: { M: 16, efConstruction: 200 },
        },
      ],
    });
    expect(made.schema.enableDynamicField).toBe(true);
    expect(made.schema.fields.map((field) => [field.id, field.name, field.type, field.nullable])).toEqual([
      [100, 'id', 'Int64', false],
      [101, 'emb', 'FloatVector', false],
      [102, 'tags', 'Array', false],
      [103, 'note', 'VarChar', true],
      [104, 'big', 'Int64', false],
      [105, 'price', 'Float', false],
      [106, 'doc', 'JSON', true],
    ]);
    expect(made.schema.fields[0]?.autoId).toBe(true);
    expect(made.schema.fields[2]).toMatchObject({ elementType: 'VarChar', maxCapacity: 16, maxLength: 32 });
    expect(made.schema.fields[4]?.defaultValue).toBe(2n ** 63n - 1n);
    expect(made.schema.fields[5]?.defaultValue).toBe(Math.fround(0.1));
    expect(made.indexes).toEqual([
      { indexName: 'e', fieldName: 'emb', indexType: 'HNSW', metricType: 'IP', params: { M: 16, efConstruction: 200 } },
    ]);
  });

  test('without index there is none; index parameters may lie in params', () => {
    expect(draft(schemaForm()).indexes).toEqual([]);
    const nested = {
      indexParams: [{ fieldName: 'emb', params: { index_type: 'IVF_FLAT', metric_type: 'L2', nlist: '128' } }],
    };
    expect(draft({ ...schemaForm(), ...nested }).indexes).toEqual([
      { indexName: 'emb', fieldName: 'emb', indexType: 'IVF_FLAT', metricType: 'L2', params: { nlist: '128' } },
    ]);
  });
});

describe('the same definition', () => {
  test('is the same in another spelling, and as it is stored', () => {
    const again = draft({
      ...quick(),
      params: { shardsNum: '1' },
      metricType: 'COSINE',
      indexParams: [{ fieldName: 'vector' }],
    });
    expect(sameCollection(draft(quick()), again)).toBe(true);
    const stored = { id: 7, version: 3, ...draft(quick()) };
    expect(sameCollection(stored, draft(quick()))).toBe(true);
  });

  const changes: [string, Json][] = [
    ['dimension', quick({ dimension: 9 })],
    ['metric', quick({ metricType: 'L2' })],
    ['autoID', quick({ autoID: true })],
    ['level', quick({ consistencyLevel: 'Strong' })],
    ['dynamic field', quick({ params: { enableDynamicField: false } })],
    ['shards', quick({ params: { shardsNum: 2 } })],
    ['database', quick({ dbName: 'other' })],
  ];
  test.each(changes)('differs in %s', (_, body) => {
    expect(sameCollection(draft(quick()), draft(body))).toBe(false);
  });
});

test('a description is what Milvus answers, key by key', () => {
  const meta = {
    id: 450,
    version: 1,
    ...draft(
      schemaForm(
        { fieldName: 'n', dataType: 'Int64', defaultValue: 5 },
        { fieldName: 'p', dataType: 'Float', defaultValue: 0.1, nullable: true, description: 'd' },
        {
          fieldName: 'a',
          dataType: 'Array',
          elementDataType: 'VarChar',
          elementTypeParams: { max_capacity: 3, max_length: 9 },
        },
      ),
    ),
  };
  const rest = { partitionKey: false, clusteringKey: false, autoId: false, nullable: false, description: '' };
  expect(describeCollection({ meta, loaded: false })).toEqual({
    collectionName: 'c',
    collectionID: 450,
    description: '',
    autoId: false,
    fields: [
      { id: 100, name: 'id', type: 'Int64', primaryKey: true, ...rest },
      { id: 101, name: 'emb', type: 'FloatVector', params: [{ key: 'dim', value: '8' }], primaryKey: false, ...rest },
      { id: 102, name: 'n', type: 'Int64', primaryKey: false, ...rest, defaultValue: { Data: { LongData: 5n } } },
      {
        id: 103,
        name: 'p',
        type: 'Float',
        primaryKey: false,
        ...rest,
        nullable: true,
        description: 'd',
        defaultValue: { Data: { FloatData: 0.1 } },
      },
      {
        id: 104,
        name: 'a',
        type: 'Array',
        elementType: 'VarChar',
        primaryKey: false,
        ...rest,
        params: [
          { key: 'max_length', value: '9' },
          { key: 'max_capacity', value: '3' },
        ],
      },
    ],
    structFields: [],
    functions: [],
    aliases: [],
    indexes: [],
    load: 'LoadStateNotLoad',
    shardsNum: 1,
    partitionsNum: 1,
    consistencyLevel: 'Bounded',
    enableDynamicField: false,
    externalSource: '',
    externalSpec: '',
    properties: [{ key: 'timezone', value: 'UTC' }],
  });
  const loaded = describeCollection({ meta: { id: 1, version: 1, ...draft(quick()) }, loaded: true });
  expect(loaded.indexes).toEqual([{ indexName: 'vector', fieldName: 'vector', metricType: 'COSINE' }]);
  expect(loaded.load).toBe('LoadStateLoaded');
});
