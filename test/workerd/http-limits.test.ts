import { beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_BYTES_MAX } from '../../core/model/limits.ts';
import { isAuthorized } from '../../worker/http/authorization.ts';
import { post, send } from './request.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

describe('Int64', () => {
  beforeAll(async () => {
    const schema = {
      enableDynamicField: true,
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
        { fieldName: 'big', dataType: 'Int64', nullable: true },
        { fieldName: 'list', dataType: 'Array', elementDataType: 'Int64', elementTypeParams: { max_capacity: 4 } },
        { fieldName: 'doc', dataType: 'JSON' },
      ],
    };
    await post('collections/create', { collectionName: 'exact', schema, indexParams: [{ fieldName: 'vector' }] });
    const insert = await post(
      'entities/insert',
      `{"collectionName":"exact","data":[
        {"id":${INT64_MAX},"vector":[1,0],"big":"${INT64_MIN}","list":[1,${INT64_MAX}],"doc":{"n":[${INT64_MAX},1]},"extra":7},
        {"id":-5,"vector":[0,1],"big":null,"list":[],"doc":5,"extra":"x"}]}`,
    );
    expect(insert.text).toBe(`{"code":0,"cost":0,"data":{"insertCount":2,"insertIds":[${INT64_MAX},-5]}}`);
  });

  it('survives both ways as JSON numbers', async () => {
    const { text } = await post('entities/query', `{"collectionName":"exact","filter":"id in [${INT64_MAX}, -5]"}`);
    expect(text).toBe(
      `{"code":0,"cost":0,"data":[{"id":-5,"vector":[0,1],"big":null,"list":[],"doc":5,"extra":"x"},` +
        `{"id":${INT64_MAX},"vector":[1,0],"big":${INT64_MIN},"list":[1,${INT64_MAX}],"doc":{"n":[${INT64_MAX},1]},"extra":7}]}`,
    );
  });

  it('is text where the client says that it cannot read 64 bits, and only where the field is Int64', async () => {
    for (const form of ['false', 'FALSE', 'f', '0']) {
      const { text } = await post(
        'entities/search',
        { collectionName: 'exact', data: [[1, 0]], limit: 2, outputFields: ['big', 'list', 'doc', 'extra'] },
        { 'Accept-Type-Allow-Int64': form },
      );
      expect(text).toBe(
        `{"code":0,"cost":0,"topks":[2],"data":[{"id":"${INT64_MAX}","distance":1,"big":"${INT64_MIN}","list":["1","${INT64_MAX}"],"doc":{"n":[${INT64_MAX},1]},"extra":7},` +
          `{"id":"-5","distance":0,"big":null,"list":[],"doc":5,"extra":"x"}]}`,
      );
    }
    const count = { collectionName: 'exact', outputFields: ['count(*)'] };
    expect((await post('entities/query', count, { 'Accept-Type-Allow-Int64': 'false' })).envelope['data']).toEqual([
      { 'count(*)': '2' },
    ]);
    for (const form of ['true', '1', 'whatever']) {
      const { envelope } = await post('entities/query', count, { 'Accept-Type-Allow-Int64': form });
      expect(envelope['data']).toEqual([{ 'count(*)': 2 }]);
    }
  });

  it('is refused beyond 64 bits, not rounded', async () => {
    const { envelope } = await post(
      'entities/insert',
      `{"collectionName":"exact","data":[{"id":${INT64_MAX + 1n},"vector":[1,0],"list":[],"doc":1}]}`,
    );
    expect(envelope).toMatchObject({ code: 1804 });
  });
});

describe('a body', () => {
  const spaces = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0x20);

  it('is refused by its Content-Length', async () => {
    const body = spaces(REQUEST_BYTES_MAX + 1);
    const { status, envelope } = await send('/v2/vectordb/collections/list', { method: 'POST', body });
    expect([status, envelope['code']]).toEqual([413, 1102]);
    expect(envelope['message']).toContain(String(REQUEST_BYTES_MAX));
  });

  it('without a length is refused as soon as it is too large, and not read on', async () => {
    let sent = 0;
    let isCancelled = false;
    const chunk = spaces(1024 * 1024);
    const body = new ReadableStream({
      pull(controller) {
        sent += chunk.byteLength;
        controller.enqueue(chunk);
      },
      cancel() {
        isCancelled = true;
      },
    });
    const { status, envelope } = await send('/v2/vectordb/collections/list', { method: 'POST', body });
    expect([status, envelope['code']]).toEqual([413, 1102]);
    expect(isCancelled).toBe(true);
    expect(sent).toBeLessThanOrEqual(REQUEST_BYTES_MAX + 4 * chunk.byteLength);
  });

  it('of the largest size is read, in pieces too', async () => {
    const text = spaces(REQUEST_BYTES_MAX);
    text.set(new TextEncoder().encode('{}'), REQUEST_BYTES_MAX - 2);
    const { envelope } = await send('/v2/vectordb/collections/list', { method: 'POST', body: text });
    expect(envelope['code']).toBe(0);
    const pieces = ['{"collectionName"', ':"é', '"}'].map((piece) => new TextEncoder().encode(piece));
    const body = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    expect((await send('/v2/vectordb/collections/has', { method: 'POST', body })).envelope).toMatchObject({
      code: 0,
      data: { has: false },
    });
  });

  it('that is not UTF-8 is refused', async () => {
    const body = Uint8Array.of(0x22, 0xff, 0x22);
    const { envelope } = await send('/v2/vectordb/collections/list', { method: 'POST', body });
    expect(envelope).toMatchObject({ code: 1801, message: expect.stringContaining('not UTF-8') });
  });
});

describe('a token', () => {
  const secrets = { ELANUS_TOKEN: 'root:correct horse' };
  const call = (headers: Record<string, string>, path = '/v2/vectordb/collections/list') =>
    send(path, { method: 'POST', body: '{}', headers }, secrets);

  it.each([
    ['nothing', {}],
    ['another', { Authorization: 'Bearer root:wrong' }],
    ['an empty one', { Authorization: 'Bearer ' }],
    ['no scheme', { Authorization: 'root:correct horse' }],
    ['a part of it', { Authorization: 'Bearer root' }],
    ['Basic that is no base64', { Authorization: 'Basic ***' }],
  ])('is asked for: %s will not do', async (_, headers) => {
    const { status, text } = await call(headers as Record<string, string>);
    expect([status, text]).toEqual([401, `{"code":1800,"message":"user hasn't authenticated"}`]);
  });

  it.each([
    ['Bearer', 'Bearer root:correct horse'],
    ['bearer in small letters', 'bearer root:correct horse'],
    ['Basic', `Basic ${btoa('root:correct horse')}`],
  ])('opens as %s', async (_, header) => {
    expect((await call({ Authorization: header })).envelope['code']).toBe(0);
  });

  it('guards every path of the API, and lets a browser ask first', async () => {
    for (const path of ['/v2/vectordb/partitions/list', '/v2/elanus/info', '/v2/vectordb/entities/insert']) {
      expect((await call({}, path)).status).toBe(401);
    }
    expect((await send('/v2/vectordb/entities/insert', { method: 'OPTIONS' }, secrets)).status).toBe(204);
    expect((await send('/health', {}, secrets)).status).toBe(200);
  });

  it('is needed only where the secret is set to something', async () => {
    for (const open of [{}, { ELANUS_TOKEN: '' }]) {
      const { envelope } = await send('/v2/vectordb/collections/list', { method: 'POST', body: '{}' }, open);
      expect(envelope['code']).toBe(0);
    }
  });

  it('is compared as a whole, whatever its length', async () => {
    const long = 'x'.repeat(10_000);
    expect(await isAuthorized(`Bearer ${long}`, long)).toBe(true);
    expect(await isAuthorized(`Bearer ${long.slice(1)}`, long)).toBe(false);
    expect(await isAuthorized('Bearer é', 'é')).toBe(true);
  });
});
