import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../core/client/connect.ts';
import { HttpConnection } from '../../core/client/http-connection.ts';
import { startLocalEdge } from '../../worker/cli/local-edge.ts';
import { type TestEdge, testEdge } from './local-edge.ts';

const INT64_MAX = 2n ** 63n - 1n;

let edge: TestEdge;
beforeAll(async () => {
  edge = await testEdge({ token: 'secret' });
});
afterAll(() => edge?.[Symbol.asyncDispose]());

describe('connect', () => {
  it('is the same interface as open: typed results, one list for each query, exact Int64', async () => {
    await using db = connect({ url: `${edge.url}/`, token: 'secret', int64: 'bigint' });
    await db.createCollection({ collectionName: 'docs', dimension: 3 });
    expect(await db.hasCollection({ collectionName: 'docs' })).toBe(true);
    expect(await db.listCollections()).toEqual(['docs']);
    const inserted = await db.insert({
      collectionName: 'docs',
      data: [
        { id: INT64_MAX, vector: new Float32Array([1, 0, 0.1]), color: 'red', big: INT64_MAX },
        { id: 2, vector: [0, 1, 0], color: 'blue', big: 1 },
        { id: '3', vector: [0, 0, 1] },
      ],
    });
    expect(inserted).toEqual({ insertCount: 3, insertIds: [INT64_MAX, 2n, 3n] });
    const lists = await db.search({
      collectionName: 'docs',
      data: [new Float32Array([1, 0, 0]), [0, 1, 0]],
      limit: 1,
      outputFields: ['*'],
    });
    expect(lists).toEqual([
      [
        {
          id: INT64_MAX,
          distance: expect.closeTo(0.995, 3),
          vector: Float32Array.of(1, 0, 0.1),
          color: 'red',
          big: INT64_MAX,
        },
      ],
      [{ id: 2n, distance: 1, vector: Float32Array.of(0, 1, 0), color: 'blue', big: 1 }],
    ]);
    expect(
      await db.search({
        collectionName: 'docs',
        data: [
          [1, 0, 0],
          [0, 1, 0],
        ],
        filter: 'id < 0',
      }),
    ).toEqual([[], []]);
    expect(await db.get({ collectionName: 'docs', id: [3], outputFields: ['vector'] })).toEqual([
      { id: 3n, vector: Float32Array.of(0, 0, 1) },
    ]);
    expect(await db.count({ collectionName: 'docs', filter: 'color == "red"' })).toBe(1);
    expect(await db.delete({ collectionName: 'docs', ids: [2, 3n] })).toEqual({ deleteCount: 2 });
    expect(await db.query({ collectionName: 'docs', outputFields: ['color'], limit: 9 })).toEqual([
      { id: INT64_MAX, color: 'red' },
    ]);
    await db.flush({ collectionName: 'docs' });
    expect(await db.getCollectionStatistics({ collectionName: 'docs' })).toEqual({ rowCount: 1 });
    expect(await db.info()).toMatchObject({ host: 'edge', storage: 'r2', version: expect.any(String) });
  });

  it('never rounds: with numbers a value beyond 2^53 is an error that names the field', async () => {
    await using db = connect({ url: edge.url, token: 'secret' });
    await expect(db.get({ collectionName: 'docs', id: INT64_MAX })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('id'),
    });
  });

  it('gives each error with the code that the engine threw', async () => {
    await using db = connect({ url: edge.url, token: 'secret' });
    await expect(db.describeCollection({ collectionName: 'none' })).rejects.toMatchObject({
      name: 'ElanusError',
      code: 'not-found',
      milvusCode: 100,
      details: { collection: 'none' },
    });
    await expect(db.search({ collectionName: 'docs', data: [[1]] })).rejects.toMatchObject({
      code: 'invalid',
      milvusCode: 1801,
    });
    await expect(
      db.search({ collectionName: 'docs', data: [[1, 0, 0]], groupingField: 'color' }),
    ).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(db.destroy()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(connect({ url: edge.url }).listCollections()).rejects.toMatchObject({
      code: 'unauthorized',
      milvusCode: 1800,
    });
    await expect(connect({ url: edge.url, token: 'wrong' }).listCollections()).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('says that an outcome is unknown where nobody answers', async () => {
    const connection = new HttpConnection({ url: 'http://127.0.0.1:1' });
    await expect(connection.call('insert', {})).rejects.toMatchObject({
      code: 'unavailable',
      details: { outcome: 'unknown' },
    });
    await expect(connection.call('search', {})).rejects.toMatchObject({ code: 'unavailable', details: {} });
    await connection.close();
    await expect(connection.call('search', {})).rejects.toMatchObject({ code: 'closed' });
  });

  it.each([
    [502, '<html>', 'unavailable'],
    [404, '404 page not found', 'invalid'],
    [200, '<html>', 'invalid'],
    [200, '{"code":4,"message":"queue is full"}', 'overloaded'],
    [200, '{"code":100,"message":"no such collection"}', 'not-found'],
    [200, '{"code":65535,"message":"?"}', 'internal'],
  ])('understands others: status %i, %s is %s', async (status, text, code) => {
    const connection = new HttpConnection({ url: 'http://x', fetch: async () => ({ status, text: async () => text }) });
    await expect(connection.call('insert', {})).rejects.toMatchObject({ code });
  });
});

it('refuses a chunked body that is too large before it has been sent', async () => {
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent >= 64 * chunk.byteLength) return controller.close();
      sent += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const headers = { Authorization: 'Bearer secret' };
  const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
  // A server that stops reading may also close the connection before the client has read its answer.
  const answer = await fetch(`${edge.url}/v2/vectordb/collections/list`, init)
    .then(async (response) => [response.status, ((await response.json()) as { code: number }).code])
    .catch((error: unknown) => String((error as Error).cause ?? error));
  if (typeof answer === 'string') expect(answer).toMatch(/closed|reset|EPIPE/i);
  else expect(answer).toEqual([413, 1102]);
  expect(sent).toBeLessThan(64 * chunk.byteLength);
  // It goes on serving.
  expect((await fetch(`${edge.url}/health`)).status).toBe(200);
});

describe('the local edge', () => {
  it('serves the page and the API on one port', async () => {
    const page = await mkdtemp(join(tmpdir(), 'elanus-page-'));
    await mkdir(join(page, 'v2', 'vectordb', 'collections'), { recursive: true });
    await writeFile(join(page, 'index.html'), '<title>a page</title>');
    await writeFile(join(page, 'v2', 'vectordb', 'collections', 'list'), 'a file in the way of the API');
    await using other = await testEdge({ page });
    const text = async (path: string, method = 'GET'): Promise<[number, string]> => {
      const response = await fetch(other.url + path, method === 'POST' ? { method, body: '{}' } : {});
      return [response.status, await response.text()];
    };
    expect(await text('/')).toEqual([200, '<title>a page</title>']);
    expect(await text('/health')).toEqual([200, '{"status":"ok"}']);
    expect(await text('/v2/vectordb/collections/list', 'POST')).toEqual([200, '{"code":0,"data":[]}']);
    expect(await text('/nothing')).toEqual([404, '404 page not found']);
    await rm(page, { recursive: true });
  });

  const start = fileURLToPath(new URL('../../worker/cli/start.ts', import.meta.url));
  const run = (env: Record<string, string>) =>
    spawn(process.execPath, [start, '--no-build'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('has its data at the next start, and stops on SIGINT and SIGTERM', async () => {
    await using other = await testEdge();
    const body = { collectionName: 'kept', dimension: 2 };
    await using first = connect({ url: other.url });
    await first.createCollection(body);
    await first.insert({ collectionName: 'kept', data: [{ id: 1, vector: [1, 2] }] });
    await other.stop();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = run({ PORT: '0', ELANUS_FOLDER: other.folder });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const url = /http:\/\/[\d.]+:\d+/.exec(line.toString())?.[0] ?? '';
      await using db = connect({ url });
      expect(await db.count({ collectionName: 'kept' })).toBe(1);
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
      await expect(fetch(`${url}/health`)).rejects.toThrow();
    }
  });

  it('says which port is in use, and what to do', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await expect(startLocalEdge({ port, host: '127.0.0.1', folder: edge.folder })).rejects.toThrow(
        `Port ${port} is in use`,
      );
      const child = run({ PORT: String(port), ELANUS_FOLDER: edge.folder });
      const [[text], [code]] = (await Promise.all([once(child.stderr, 'data'), once(child, 'exit')])) as [
        [Buffer],
        [number],
      ];
      expect(text.toString()).toBe(
        `Port ${port} is in use. Stop what listens there, or choose another: PORT=${port + 1} npm start\n`,
      );
      expect(code).toBe(1);
    } finally {
      server.close();
    }
  });
});
