import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestEdge, testEdge } from './local-edge.ts';

/** Milvus's own client from npm, unchanged, against the running Worker. */
describe('HttpClient of @zilliz/milvus2-sdk-node', () => {
  let edge: TestEdge;
  let client: HttpClient;

  beforeAll(async () => {
    edge = await testEdge({ token: 'root:Milvus' });
    client = new HttpClient({ endpoint: edge.url, username: 'root', password: 'Milvus', acceptInt64: true });
  });
  afterAll(() => edge?.[Symbol.asyncDispose]());

  const collectionName = 'books';

  it('creates a collection, finds it, lists it, describes it', async () => {
    expect(await client.hasCollection({ dbName: 'default', collectionName })).toMatchObject({
      code: 0,
      data: { has: false },
    });
    expect(await client.createCollection({ collectionName, dimension: 4, metricType: 'L2' })).toEqual({
      code: 0,
      data: {},
    });
    // Once more is no error, as with Milvus.
    expect(await client.createCollection({ collectionName, dimension: 4, metricType: 'L2' })).toEqual({
      code: 0,
      data: {},
    });
    expect(await client.hasCollection({ dbName: 'default', collectionName })).toMatchObject({
      code: 0,
      data: { has: true },
    });
    expect(await client.listCollections()).toEqual({ code: 0, data: [collectionName] });
    const { code, data } = await client.describeCollection({ collectionName });
    expect(code).toBe(0);
    expect(data).toMatchObject({ collectionName, load: 'LoadStateLoaded', indexes: [{ metricType: 'L2' }] });
    expect(await client.getCollectionLoadState({ collectionName })).toMatchObject({
      data: { loadState: 'LoadStateLoaded', loadProgress: 100 },
    });
  });

  it('creates a collection with a schema, and loads it', async () => {
    const created = await client.createCollection({
      collectionName: 'schema',
      schema: {
        autoID: true,
        fields: [
          { fieldName: 'key', dataType: 'Int64', isPrimary: true },
          { fieldName: 'embedding', dataType: 'FloatVector', elementTypeParams: { dim: 4 } },
          { fieldName: 'title', dataType: 'VarChar', elementTypeParams: { max_length: 64 } },
        ],
      },
      indexParams: [{ fieldName: 'embedding', indexName: 'embedding_index', metricType: 'COSINE' }],
    } as Parameters<HttpClient['createCollection']>[0]);
    expect(created).toEqual({ code: 0, data: {} });
    const inserted = await client.insert({
      collectionName: 'schema',
      data: [
        { embedding: [1, 0, 0, 0], title: 'one' },
        { embedding: [0, 1, 0, 0], title: 'two' },
      ],
    });
    expect(inserted).toMatchObject({ code: 0, data: { insertCount: 2 } });
    expect(await client.dropCollection({ collectionName: 'schema' })).toEqual({ code: 0, data: {} });
  });

  it('inserts, and reads at once what it wrote', async () => {
    const data = Array.from({ length: 20 }, (_, id) => ({
      id,
      vector: [id, 0, 0, 1],
      shelf: id % 2 === 0 ? 'even' : 'odd',
    }));
    const inserted = await client.insert({ collectionName, data });
    expect(inserted).toMatchObject({
      code: 0,
      cost: 0,
      data: { insertCount: 20, insertIds: data.map(({ id }) => id) },
    });
    const got = await client.get({ collectionName, id: [3, 4], outputFields: ['shelf'] });
    expect(got.data).toEqual([
      { id: 3, shelf: 'odd' },
      { id: 4, shelf: 'even' },
    ]);
  });

  it('searches, one query or several', async () => {
    const one = await client.search({ collectionName, data: [[6.2, 0, 0, 1]], limit: 3, outputFields: ['shelf'] });
    expect(one.code).toBe(0);
    expect((one.data as unknown as { id: number }[]).map(({ id }) => id)).toEqual([6, 7, 5]);
    expect(one.data[0]).toMatchObject({ id: 6, shelf: 'even' });
    const two = await client.search({
      collectionName,
      data: [
        [0, 0, 0, 1],
        [19, 0, 0, 1],
      ],
      limit: 2,
      outputFields: [],
      filter: 'shelf == "odd"',
    });
    expect((two.data as unknown as { id: number }[][]).map((hits) => hits.map(({ id }) => id))).toEqual([
      [1, 3],
      [19, 17],
    ]);
  });

  it('queries and counts', async () => {
    const { data } = await client.query({
      collectionName,
      filter: 'id >= 17 and shelf == "odd"',
      outputFields: ['shelf'],
    });
    expect(data).toEqual([
      { id: 17, shelf: 'odd' },
      { id: 19, shelf: 'odd' },
    ]);
    const counted = await client.query({ collectionName, filter: '', outputFields: ['count(*)'] });
    expect(counted.data).toEqual([{ 'count(*)': 20 }]);
  });

  it('upserts and deletes', async () => {
    const upserted = await client.upsert({ collectionName, data: [{ id: 0, vector: [0, 9, 0, 0], shelf: 'new' }] });
    expect(upserted).toMatchObject({ code: 0, data: { upsertCount: 1, upsertIds: [0] } });
    expect((await client.get({ collectionName, id: 0, outputFields: ['shelf'] })).data).toEqual([
      { id: 0, shelf: 'new' },
    ]);
    expect(await client.delete({ collectionName, filter: 'id in [0, 1]' })).toMatchObject({ code: 0 });
    expect((await client.get({ collectionName, id: [0, 1, 2], outputFields: ['id'] })).data).toEqual([{ id: 2 }]);
  });

  it('flushes, releases, loads, and drops', async () => {
    expect(await client.flushCollection({ collectionName })).toEqual({ code: 0, data: {} });
    expect(await client.getCollectionStatistics({ collectionName })).toMatchObject({ code: 0, data: { rowCount: 18 } });
    expect(await client.releaseCollection({ collectionName })).toEqual({ code: 0, data: {} });
    expect(await client.query({ collectionName, filter: 'id > 0', outputFields: [] })).toMatchObject({ code: 101 });
    expect(await client.loadCollection({ collectionName })).toEqual({ code: 0, data: {} });
    expect(
      (await client.search({ collectionName, data: [[6.2, 0, 0, 1]], limit: 1, outputFields: [] })).data[0],
    ).toMatchObject({
      id: 6,
    });
    expect(await client.dropCollection({ collectionName })).toEqual({ code: 0, data: {} });
    expect(await client.listCollections()).toEqual({ code: 0, data: [] });
  });

  it('reads Int64 keys as text by default, exactly', async () => {
    const textual = new HttpClient({ endpoint: edge.url, token: 'root:Milvus' });
    await textual.createCollection({ collectionName: 'exact', dimension: 2 });
    const id = '9223372036854775807';
    const inserted = await textual.insert({ collectionName: 'exact', data: [{ id, vector: [1, 0] }] });
    expect(inserted.data.insertIds).toEqual([id]);
    const found = await textual.search({ collectionName: 'exact', data: [[1, 0]], limit: 1, outputFields: [] });
    expect(found.data).toEqual([{ id, distance: 1 }]);
    expect((await textual.get({ collectionName: 'exact', id: [id], outputFields: ['id'] })).data).toEqual([{ id }]);
  });

  it('is told what is wrong', async () => {
    expect(await client.describeCollection({ collectionName: 'none' })).toEqual({
      code: 100,
      message: "can't find collection[database=default][collection=none]",
    });
    const stranger = new HttpClient({ endpoint: edge.url, token: 'wrong' });
    await expect(stranger.listCollections()).rejects.toMatchObject({ name: 'HttpError', status: 401 });
  });
});
