import { beforeAll, describe, expect, it } from 'vitest';
import { post, send } from './request.ts';

/**
 * Milvus's REST envelope, case by case. `contains` is what a client of Milvus looks for in the message.
 */

const required = (struct: string, field: string): string =>
  `missing required parameters, error: Key: '${struct}.${field}' Error:Field validation for '${field}' failed on the 'required' tag`;

beforeAll(async () => {
  expect((await post('collections/create', { collectionName: 'docs', dimension: 2 })).text).toBe(
    '{"code":0,"data":{}}',
  );
  const rows = [
    { id: 1, vector: [1, 0], color: 'red' },
    { id: 2, vector: [0, 1], color: 'blue' },
    { id: 3, vector: [0.6, 0.8] },
  ];
  const { text } = await post('entities/insert', { collectionName: 'docs', data: rows });
  expect(text).toBe('{"code":0,"cost":0,"data":{"insertCount":3,"insertIds":[1,2,3]}}');
});

describe('answers, byte for byte', () => {
  it.each([
    ['collections/list', 'null', '{"code":0,"data":["docs"]}'],
    ['collections/has', '{"collectionName":"docs"}', '{"code":0,"data":{"has":true}}'],
    ['collections/has', '{"collectionName":"none"}', '{"code":0,"data":{"has":false}}'],
    ['collections/get_stats', '{"collectionName":"docs"}', '{"code":0,"data":{"rowCount":3}}'],
    ['collections/load', '{"collectionName":"docs"}', '{"code":0,"data":{}}'],
    ['collections/drop', '{"collectionName":"none"}', '{"code":0,"data":{}}'],
    [
      'collections/get_load_state',
      '{"collectionName":"docs"}',
      '{"code":0,"data":{"loadState":"LoadStateLoaded","loadProgress":100},"message":""}',
    ],
    [
      'entities/get',
      '{"collectionName":"docs","id":2}',
      '{"code":0,"cost":0,"data":[{"id":2,"vector":[0,1],"color":"blue"}]}',
    ],
    ['entities/get', '{"collectionName":"docs","id":[7],"outputFields":["id"]}', '{"code":0,"cost":0,"data":[]}'],
    [
      'entities/query',
      '{"collectionName":"docs","filter":"color == \\"red\\"","outputFields":["color"]}',
      '{"code":0,"cost":0,"data":[{"id":1,"color":"red"}]}',
    ],
    [
      'entities/query',
      '{"collectionName":"docs","outputFields":["count(*)"]}',
      '{"code":0,"cost":0,"data":[{"count(*)":3}]}',
    ],
    [
      'entities/search',
      '{"collectionName":"docs","data":[[0.6,0.8],[1,0]],"limit":1,"outputFields":["vector"]}',
      '{"code":0,"cost":0,"topks":[1,1],"data":[{"id":3,"distance":1,"vector":[0.6,0.8]},{"id":1,"distance":1,"vector":[1,0]}]}',
    ],
    ['entities/search', '{"collectionName":"docs","data":[[1,0]],"filter":"id > 9"}', '{"code":0,"cost":0,"data":[]}'],
    ['entities/delete', '{"collectionName":"docs","filter":"id in [8, 9]"}', '{"code":0,"data":{"deleteCount":2}}'],
  ])('%s %s', async (path, body, expected) => {
    const { status, text, headers } = await post(path, body);
    expect(text).toBe(expected);
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toBe('application/json; charset=utf-8');
  });

  it('describes a collection with every key that Milvus gives', async () => {
    const { envelope } = await post('collections/describe', { collectionName: 'docs' });
    expect(Object.keys(envelope)).toEqual(['code', 'data', 'message']);
    expect(envelope['data']).toMatchObject({
      collectionName: 'docs',
      fields: [
        { id: 100, name: 'id', type: 'Int64', primaryKey: true },
        { id: 101, name: 'vector', type: 'FloatVector', params: [{ key: 'dim', value: '2' }] },
      ],
      indexes: [{ indexName: 'vector', fieldName: 'vector', metricType: 'COSINE' }],
      load: 'LoadStateLoaded',
      enableDynamicField: true,
    });
  });
});

describe('errors', () => {
  it.each([
    ['collections/describe', '', 1801, 'the request body should be nil, however {} is valid'],
    ['collections/describe', '{"collectionName":', 1801, 'can only accept json format request, error: '],
    ['collections/describe', '[]', 1801, 'cannot unmarshal array into Go value of type httpserver.CollectionNameReq'],
    [
      'collections/describe',
      '{"collectionName":7}',
      1801,
      'Go struct field CollectionNameReq.collectionName of type string',
    ],
    ['collections/describe', '{}', 1802, required('CollectionNameReq', 'CollectionName')],
    ['collections/describe', '{"collectionName":""}', 1802, required('CollectionNameReq', 'CollectionName')],
    ['collections/describe', '{"collectionName":null}', 1802, required('CollectionNameReq', 'CollectionName')],
    ['collections/describe', 'null', 1802, required('CollectionNameReq', 'CollectionName')],
    [
      'collections/describe',
      '{"collectionName":"none"}',
      100,
      "can't find collection[database=default][collection=none]",
    ],
    ['collections/get_load_state', '{"collectionName":"none"}', 100, '[collection=none]'],
    [
      'collections/create',
      '{"collectionName":"x","dimension":"2"}',
      1801,
      'cannot unmarshal string into Go struct field CollectionReq.dimension of type int32',
    ],
    ['collections/create', '{"collectionName":"x","dimension":2.5}', 1801, 'cannot unmarshal number 2.5 into'],
    [
      'collections/create',
      '{"collectionName":"x","dimension":9223372036854775807}',
      1801,
      'cannot unmarshal number 9223372036854775807 into',
    ],
    [
      'collections/create',
      '{"collectionName":"x","schema":{"fields":[{"fieldName":1}]}}',
      1801,
      'schema.fields.fieldName of type string',
    ],
    [
      'collections/create',
      '{"collectionName":"docs","dimension":3}',
      1100,
      'create duplicate collection with different parameters, collection: docs',
    ],
    ['entities/insert', '{"collectionName":"docs"}', 1802, required('CollectionDataReq', 'Data')],
    ['entities/insert', '{"collectionName":"docs","data":[]}', 1802, required('CollectionDataReq', 'Data')],
    [
      'entities/insert',
      '{}',
      1802,
      `${required('CollectionDataReq', 'CollectionName')}\nKey: 'CollectionDataReq.Data'`,
    ],
    [
      'entities/insert',
      '{"collectionName":"docs","data":["x"]}',
      1801,
      'CollectionDataReq.data of type []map[string]interface {}',
    ],
    [
      'entities/insert',
      '{"collectionName":"docs","data":[{"id":1,"vector":[1]}]}',
      1804,
      'fail to deal the insert data',
    ],
    ['entities/delete', '{"collectionName":"docs"}', 1802, required('CollectionFilterReq', 'Filter')],
    ['entities/delete', '{"collectionName":"docs","ids":[1]}', 1802, required('CollectionFilterReq', 'Filter')],
    [
      'entities/delete',
      '{"collectionName":"docs","filter":"id >"}',
      1100,
      'failed to create delete plan: cannot parse expression',
    ],
    ['entities/get', '{"collectionName":"docs"}', 1802, required('CollectionIDReq', 'ID')],
    ['entities/get', '{"collectionName":"docs","id":[true]}', 1806, 'please check the primary key'],
    [
      'entities/query',
      '{"collectionName":"docs","filter":"nope("}',
      1100,
      'failed to create query plan: cannot parse expression',
    ],
    [
      'entities/query',
      '{"collectionName":"docs","limit":10000,"offset":10000}',
      1100,
      'invalid max query result window',
    ],
    [
      'entities/query',
      '{"collectionName":"docs","groupByFields":["color"],"outputFields":["color"]}',
      3000,
      'groupByFields',
    ],
    [
      'entities/search',
      '{"collectionName":"docs"}',
      1802,
      "either 'ids' (for primary key search) or 'data' (for vector search) must be provided",
    ],
    ['entities/search', '{"collectionName":"docs","data":[[1,0,0]]}', 1801, 'but length of []float: 3'],
    ['entities/search', '{"collectionName":"docs","data":[[1,0]],"groupingField":"color"}', 3000, 'groupingField'],
    [
      'entities/search',
      '{"collectionName":"docs","data":[[1,0]],"limit":0.5}',
      1801,
      'SearchReqV2.limit of type int32',
    ],
    ['partitions/list', '{}', 3000, '/v2/vectordb/partitions/list'],
    ['entities/hybrid_search', '{}', 3000, '/v2/vectordb/entities/hybrid_search'],
  ])('%s %s is %i', async (path, body, code, contains) => {
    const { status, envelope } = await post(path, body);
    expect(envelope['message']).toContain(contains);
    expect(envelope).toEqual({ code, message: envelope['message'] });
    expect(status).toBe(200);
  });

  it('answers unknown paths and other methods with a bare 404', async () => {
    for (const [path, method] of [
      ['/v2/vectordb/entities/nothing', 'POST'],
      ['/v2/vectordb/entities/search', 'GET'],
      ['/v1/vector/search', 'POST'],
    ] as const) {
      const { status, text } = await send(path, { method });
      expect([status, text]).toEqual([404, '404 page not found']);
    }
  });
});

describe('requests', () => {
  it('match their keys in any case, but not the keys of rows and maps', async () => {
    await post('collections/create', {
      COLLECTIONNAME: 'folded',
      Dimension: 2,
      IDTYPE: 'VarChar',
      params: { max_length: 9 },
    });
    const insert = await post('entities/insert', {
      collectionname: 'folded',
      DATA: [{ id: 'a', vector: [1, 0], ID: 'other' }],
    });
    expect(insert.envelope).toMatchObject({ code: 0, data: { insertIds: ['a'] } });
    const { envelope } = await post('entities/query', {
      CollectionName: 'folded',
      FILTER: 'ID == "other"',
      outputfields: ['ID'],
    });
    expect(envelope['data']).toEqual([{ id: 'a', ID: 'other' }]);
    await post('collections/drop', { collectionName: 'folded' });
  });

  it('are JSON whatever their Content-Type says', async () => {
    for (const type of ['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'application/octet-stream']) {
      const { envelope } = await post('collections/list', '{}', { 'Content-Type': type });
      expect(envelope).toEqual({ code: 0, data: ['docs'] });
    }
  });

  it('name their database in the body, or in a header', async () => {
    for (const answer of [
      await post('collections/list', { dbName: 'none' }),
      await post('collections/list', {}, { 'DB-Name': 'none' }),
    ]) {
      expect(answer.envelope).toMatchObject({ code: 800, message: 'database not found[database=none]' });
    }
    expect((await post('collections/list', { dbName: 'default' }, { 'DB-Name': 'none' })).envelope['code']).toBe(0);
  });

  it('may shorten their time', async () => {
    expect(await post('collections/list', {}, { 'Request-Timeout': '0' })).toMatchObject({
      status: 408,
      text: '{"code":10001,"message":"request timeout"}',
    });
    expect((await post('collections/list', {}, { 'Request-Timeout': '30' })).envelope['code']).toBe(0);
    const { status, envelope } = await post('collections/list', {}, { 'Request-Timeout': 'soon' });
    expect([status, envelope['code']]).toEqual([200, 1100]);
    expect(envelope['message']).toContain('Request-Timeout parse failed, err: ');
  });

  it('are allowed from any origin', async () => {
    const preflight = await send('/v2/vectordb/entities/search', { method: 'OPTIONS' });
    expect([preflight.status, preflight.text]).toEqual([204, '']);
    for (const { headers } of [preflight, await post('collections/list', {}), await send('/nothing')]) {
      expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
      const allowed = headers.get('Access-Control-Allow-Headers')?.split(', ');
      expect(allowed).toEqual(
        expect.arrayContaining([
          'Authorization',
          'Content-Type',
          'Accept-Type-Allow-Int64',
          'Request-Timeout',
          'DB-Name',
          'RequestId',
        ]),
      );
    }
  });
});

it('says who it is where there is no page, and that it is well', async () => {
  expect((await send('/')).envelope).toMatchObject({ name: 'elanus', api: '/v2/vectordb' });
  expect((await send('/health')).envelope).toEqual({ status: 'ok' });
});
