import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draft, type Json, key, quick, schemaForm, schemaOf, varchar, vector, withIndex } from './bodies.ts';
import { errorOf, neverBreaks } from './expect-error.ts';

describe('what is wrong is refused with the code and the words of Milvus', () => {
  const cases: [string, Json, number, string][] = [
    ['no name', { dimension: 8 }, 1802, 'CollectionName'],
    [
      'a name that begins with a digit',
      quick({ collectionName: '1a' }),
      1100,
      'Invalid collection name: 1a. the first character of a collection name must be an underscore or letter: invalid parameter',
    ],
    [
      'a name of other letters',
      quick({ collectionName: 'español' }),
      1100,
      'collection name can only contain numbers, letters and underscores',
    ],
    [
      'a long name',
      quick({ collectionName: 'a'.repeat(256) }),
      1100,
      'the length of a collection name must be less than 255 characters',
    ],
    ['a bad database', quick({ dbName: 'a-b' }), 802, 'Invalid database name'],
    [
      'no dimension',
      { collectionName: 'c' },
      1100,
      'dimension is required for quickly create collection(default metric type: COSINE): invalid parameter[expected=collectionName & dimension][actual=collectionName]',
    ],
    ['dimension 1', quick({ dimension: 1 }), 1100, 'invalid dimension: 1. should be in range 2 ~ 32768'],
    [
      'dimension too large',
      quick({ dimension: 32_769 }),
      1100,
      'invalid dimension: 32769. should be in range 2 ~ 32768',
    ],
    ['dimension 8.5', quick({ dimension: 8.5 }), 1100, 'invalid dimension: 8.5'],
    [
      'a metric of bits',
      quick({ metricType: 'HAMMING' }),
      1100,
      'float vector index does not support metric type: HAMMING',
    ],
    ['BM25', quick({ metricType: 'BM25' }), 1100, 'only BM25 Function output field support BM25 metric type'],
    ['an id type', quick({ idType: 'Int32' }), 1100, 'idType can only be [Int64, VarChar], default: Int64'],
    [
      'VarChar without max_length',
      quick({ idType: 'VarChar' }),
      1101,
      'type param(max_length) should be specified for the field(id) of collection c',
    ],
    [
      'a vector type',
      quick({ vectorFieldType: 'Vector' }),
      1100,
      'vectorFieldType can only be [FloatVector, BinaryVector',
    ],
    [
      'functions in quick set-up',
      quick({ schema: { functions: [{}] } }),
      1100,
      'functions are not supported for quickly create collection',
    ],
    ['one name for two fields', quick({ vectorFieldName: 'id' }), 1100, 'duplicated field name id found'],
    [
      'a level',
      quick({ consistencyLevel: 'strong' }),
      1100,
      'consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized], default: Bounded',
    ],
    [
      'two levels',
      quick({ consistencyLevel: 'Strong', params: { consistencyLevel: 'Session' } }),
      1100,
      'top-level consistencyLevel conflicts with params.consistencyLevel',
    ],
    ['many shards', quick({ params: { shardsNum: 17 } }), 1100, "maximum shards's number should be limited to 16"],
    [
      'partitions without a key',
      quick({ params: { partitionsNum: 4 } }),
      1100,
      'num_partitions should only be specified with partition key field enabled',
    ],
    ['params of another kind', quick({ params: [] }), 1801, 'params must be an object'],
    ['a long description', quick({ description: 'é'.repeat(513) }), 1100, 'at most 1024 bytes'],
    ['no primary key', schemaOf(vector), 1101, 'primary key is not specified'],
    ['two primary keys', schemaForm({ ...key, fieldName: 'k' }), 1100, 'there are more than one primary key'],
    [
      'a primary key of another type',
      schemaOf({ ...key, dataType: 'Int8' }, vector),
      1100,
      'the data type of primary key should be Int64 or VarChar',
    ],
    [
      'a primary key that may be null',
      schemaOf({ ...key, nullable: true }, vector),
      1100,
      'primary field not support null',
    ],
    [
      'a primary key with a default',
      schemaOf({ ...key, defaultValue: 1 }, vector),
      1100,
      'primary field not support default_value',
    ],
    ['no vector', schemaOf(key), 1100, 'schema does not contain vector field'],
    [
      'many vectors',
      schemaForm(...Array.from({ length: 10 }, (_, n) => ({ ...vector, fieldName: `v${n}` }))),
      1100,
      "maximum vector field's number should be limited to 10",
    ],
    [
      'many fields',
      schemaForm(...Array.from({ length: 255 }, (_, n) => ({ fieldName: `f${n}`, dataType: 'Bool' }))),
      1100,
      "maximum field's number should be limited to 256",
    ],
    [
      'a field name',
      schemaForm({ fieldName: 'a-b', dataType: 'Bool' }),
      1701,
      'Invalid field name: a-b. Field name can only contain numbers, letters and underscores',
    ],
    ['a keyword', schemaForm({ fieldName: 'in', dataType: 'Bool' }), 1701, 'in is keyword in milvus.'],
    ['NULL in any casing', schemaForm({ fieldName: 'Null', dataType: 'Bool' }), 1701, 'Null is keyword in milvus.'],
    ['a system field', schemaForm({ fieldName: 'RowID', dataType: 'Bool' }), 1701, 'Invalid field name: RowID'],
    ['the dynamic field', schemaForm({ fieldName: '$meta', dataType: 'JSON' }), 1701, '$meta is keyword in milvus.'],
    [
      'a type in another case',
      schemaForm({ fieldName: 'f', dataType: 'int64' }),
      1100,
      'data type int64 is invalid(case sensitive)',
    ],
    ['String', schemaForm({ fieldName: 'f', dataType: 'String' }), 1100, 'data type String is invalid(case sensitive)'],
    ['no type', schemaForm({ fieldName: 'f' }), 1802, 'DataType'],
    [
      'VarChar field without max_length',
      schemaForm({ fieldName: 's', dataType: 'VarChar' }),
      1101,
      'type param(max_length) should be specified for the field(s) of collection c',
    ],
    [
      'max_length too large',
      schemaForm({ ...varchar, elementTypeParams: { max_length: 65_536 } }),
      1100,
      'should be in (0, 65535], but got 65536',
    ],
    ['max_length 0', schemaForm({ ...varchar, elementTypeParams: { max_length: '0' } }), 1100, 'but got 0'],
    [
      'Array without max_capacity',
      schemaForm({ fieldName: 'a', dataType: 'Array', elementDataType: 'Int8' }),
      1101,
      'type param(max_capacity)',
    ],
    [
      'Array too large',
      schemaForm({
        fieldName: 'a',
        dataType: 'Array',
        elementDataType: 'Int8',
        elementTypeParams: { max_capacity: 4097 },
      }),
      1100,
      '(0, 4096]',
    ],
    [
      'Array of JSON',
      schemaForm({
        fieldName: 'a',
        dataType: 'Array',
        elementDataType: 'JSON',
        elementTypeParams: { max_capacity: 4 },
      }),
      1100,
      'element type JSON is not supported',
    ],
    [
      'vector without dim',
      schemaForm({ fieldName: 'v', dataType: 'FloatVector' }),
      1100,
      'dimension is not defined in field type params of field v, check type param `dim` for vector field',
    ],
    ['a default of another type', schemaForm({ ...varchar, defaultValue: 1 }), 1100, 'convert defaultValue fail, err:'],
    [
      'a default out of range',
      schemaForm({ fieldName: 'n', dataType: 'Int8', defaultValue: 128 }),
      1100,
      'integer in range [-128, 127]',
    ],
    [
      'a default too long',
      schemaForm({ ...varchar, defaultValue: 'ééé' }),
      1100,
      'the length (6) of string exceeds max length (4)',
    ],
    [
      'a default that is not finite',
      schemaForm({ fieldName: 'x', dataType: 'Float', defaultValue: 1e39 }),
      1100,
      'outside the float32 range',
    ],
    [
      'a default of JSON',
      schemaForm({ fieldName: 'j', dataType: 'JSON', defaultValue: {} }),
      1100,
      'type not support default_value',
    ],
    ['an index of an unknown field', withIndex({ fieldName: 'x' }), 1802, "`x` hasn't defined in schema"],
    [
      'an unknown index type',
      withIndex({ fieldName: 'emb', indexType: 'BTREE' }),
      1100,
      'invalid parameter[expected=valid index][actual=invalid index type: BTREE]',
    ],
    [
      'an index of other vectors',
      withIndex({ fieldName: 'emb', indexType: 'BIN_FLAT' }),
      1100,
      "data type FloatVector can't build with this index BIN_FLAT",
    ],
    [
      'AUTOINDEX with parameters',
      withIndex({ fieldName: 'emb', params: { M: 4 } }),
      1100,
      'only metric type can be passed when use AutoIndex',
    ],
    [
      'an index parameter out of range',
      withIndex({ fieldName: 'emb', indexType: 'HNSW', params: { M: 1 } }),
      1100,
      "param 'M' (1) should be in range [2, 2048]",
    ],
    [
      'two indexes of one field',
      { ...schemaForm(), indexParams: [{ fieldName: 'emb' }, { fieldName: 'emb', metricType: 'L2' }] },
      1100,
      'at most one distinct index is allowed per field',
    ],
  ];
  test.each(cases)('%s', (_, body, milvusCode, text) => {
    const error = errorOf(() => draft(body));
    expect(error.message).toContain(text);
    expect([error.code, error.milvusCode]).toEqual(['invalid', milvusCode]);
  });
});

describe('what Milvus defines and is not done yet is refused by name', () => {
  const cases: [string, Json][] = [
    ['vectorFieldType BinaryVector', quick({ vectorFieldType: 'BinaryVector' })],
    ['dataType SparseFloatVector', schemaForm({ fieldName: 's', dataType: 'SparseFloatVector' })],
    ['dataType Text', schemaForm({ fieldName: 's', dataType: 'Text' })],
    ['isPartitionKey', schemaForm({ ...varchar, isPartitionKey: true })],
    ['isClusteringKey', schemaForm({ ...varchar, isClusteringKey: true })],
    ['nullable of a vector field', schemaForm({ ...vector, fieldName: 'v', nullable: true })],
    [
      'elementTypeParams.enable_analyzer',
      schemaForm({ ...varchar, elementTypeParams: { max_length: 4, enable_analyzer: true } }),
    ],
    [
      'elementTypeParams.mmap.enabled',
      schemaForm({ ...varchar, elementTypeParams: { max_length: 4, 'mmap.enabled': 'true' } }),
    ],
    ['schema.functions', { collectionName: 'c', schema: { fields: [key, vector], functions: [{ name: 'bm25' }] } }],
    ['schema.structFields', { collectionName: 'c', schema: { fields: [key, vector], structFields: [{}] } }],
    ['params.ttlSeconds', quick({ params: { ttlSeconds: 3600 } })],
    ['params.partitionKeyIsolation', quick({ params: { partitionKeyIsolation: true } })],
    ['properties.collection.ttl.seconds', quick({ properties: { 'collection.ttl.seconds': '60' } })],
    ['consistencyLevel Customized', quick({ consistencyLevel: 'Customized' })],
    [
      'an index on the scalar field s',
      { ...schemaForm(varchar), indexParams: [{ fieldName: 's', indexType: 'INVERTED' }] },
    ],
    ['indexType GPU_CAGRA', withIndex({ fieldName: 'emb', indexType: 'GPU_CAGRA' })],
  ];
  test.each(cases)('%s', (name, body) => {
    const error = errorOf(() => draft(body));
    expect(error.message).toContain(name);
    expect([error.code, error.milvusCode]).toEqual(['unsupported', 3000]);
  });
});

test('whatever a body holds, it is drafted or refused with an error of ours', () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
  const paths = [
    ['collectionName'],
    ['dbName'],
    ['dimension'],
    ['metricType'],
    ['idType'],
    ['autoID'],
    ['params'],
    ['schema'],
    ['indexParams'],
    ['properties'],
    ['description'],
    ['vectorFieldName'],
    ['consistencyLevel'],
    ['params', 'shardsNum'],
    ['schema', 'fields'],
    ['schema', 'fields', '0'],
    ['schema', 'fields', '0', 'dataType'],
    ['schema', 'autoID'],
    ['schema', 'fields', '1', 'elementTypeParams'],
    ['schema', 'fields', '2', 'defaultValue'],
    ['schema', 'fields', '2', 'fieldName'],
    ['indexParams', '0'],
    ['indexParams', '0', 'params'],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...paths), anything, fc.boolean(), (path, value, isQuick) => {
      const body = structuredClone(isQuick ? quick() : withIndex({ fieldName: 'emb', params: {} }));
      if (!isQuick) ((body['schema'] as Json)['fields'] as Json[]).push({ ...varchar, defaultValue: 'a' });
      let holder: Json | undefined = body;
      for (const step of path.slice(0, -1)) holder = holder?.[step] as Json | undefined;
      if (holder !== undefined) holder[path.at(-1) as string] = value;
      neverBreaks(() => draft(body));
    }),
    { numRuns: 3_000 },
  );
});
