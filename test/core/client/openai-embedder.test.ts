import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ElanusError } from '../../../core/base/error.ts';
import { type OpenAiEmbedderOptions, ElanusError as OwnError, openAiEmbedder } from '../../../core/client/index.ts';
import { databaseOn, testCluster } from '../node/cluster.ts';
import { type EmbeddingsServer, embeddingsServer } from './embeddings-server.ts';
import { vectorOfText } from './letter-embedder.ts';

let server: EmbeddingsServer;

beforeAll(async () => {
  server = await embeddingsServer();
});
beforeEach(() => {
  server.seen.length = 0;
  server.next.length = 0;
});
afterAll(() => server.close());

const KEY = 'sk-test-secret';

function embedderOf(options: Partial<OpenAiEmbedderOptions> = {}) {
  return openAiEmbedder({ url: server.url, apiKey: KEY, model: 'small', dimension: 4, ...options });
}

async function failureOf(call: Promise<unknown>): Promise<ElanusError> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as ElanusError,
  );
}

/** Through a collection, as users do: what is retried and what is checked is part of it. */
async function insertVia(options: Partial<OpenAiEmbedderOptions>, texts: readonly string[]) {
  const running = await testCluster();
  const notes = databaseOn(running).collection('notes', {
    fields: { id: { type: 'Int64', primary: true }, text: 'VarChar', vector: 'FloatVector' },
    embedder: embedderOf(options),
  });
  try {
    await notes.create();
    const inserted = await notes.insert(texts.map((text, id) => ({ id, text }))).catch((error: ElanusError) => error);
    const rows = await notes.query({ filter: 'id >= 0', outputFields: ['*'], limit: 1000 });
    return { inserted, rows: rows.toSorted((a, b) => a.id - b.id) };
  } finally {
    await running.cluster.close();
  }
}

describe('an OpenAI-shaped endpoint', () => {
  test.each(['float', 'base64', undefined] as const)('gives vectors in the order of the texts (%s)', async (format) => {
    const texts = ['one', 'two', 'three', 'vier ä €'];
    const embedder = embedderOf(format === undefined ? {} : { encodingFormat: format });
    const vectors = await embedder.embed(texts, { kind: 'document' });
    expect(vectors).toEqual(texts.map((text) => vectorOfText(text, 'document')));
    const [{ body, headers } = expect.unreachable()] = server.seen;
    expect(body).toEqual({
      model: 'small',
      input: texts,
      ...(format === undefined ? {} : { encoding_format: format }),
    });
    expect(headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' });
  });

  test('gets batches, several at once, and fills a collection', async () => {
    const texts = Array.from({ length: 150 }, (_, at) => `text ${at}`);
    const { rows } = await insertVia({ batchSize: 20, concurrency: 3 }, texts);
    expect(rows.map(({ text, vector }) => [text, vector])).toEqual(
      texts.map((text) => [text, vectorOfText(text, 'document')]),
    );
    expect(server.seen.map(({ body }) => body.input.length).toSorted((a, b) => a - b)).toEqual([
      10, 20, 20, 20, 20, 20, 20, 20,
    ]);
  });

  test('gets the prefix, the parameters and the headers that a model wants', async () => {
    const embedder = embedderOf({
      prefix: { document: 'passage: ', query: 'query: ' },
      parameters: (kind) => ({ dimensions: 4, input_type: kind }),
      headers: { 'x-team': 'search' },
    });
    const [vector] = await embedder.embed(['kite'], { kind: 'query' });
    expect(vector).toEqual(vectorOfText('query: kite', 'query'));
    expect(server.seen[0]?.body).toMatchObject({ input: ['query: kite'], dimensions: 4, input_type: 'query' });
    expect(server.seen[0]?.headers['x-team']).toBe('search');
    expect(embedder.variant).not.toBe(embedderOf().variant);
  });

  test('is asked again while it is busy or broken, after the pause that it asks for', async () => {
    server.next.push(
      { status: 429, headers: { 'Retry-After': '0' }, body: '{"error":{"message":"Slow down."}}' },
      { status: 503, headers: { 'Retry-After': new Date(0).toUTCString() }, body: '<html>' },
      { status: 500, headers: { 'Retry-After': '0' }, body: '' },
    );
    const { inserted, rows } = await insertVia({}, ['one']);
    expect([inserted, rows.length, server.seen.length]).toEqual([{ insertCount: 1, insertIds: [0] }, 1, 4]);
    server.next.push({ status: 429, headers: { 'Retry-After': '1.5' }, body: '' });
    const busy = await failureOf(embedderOf().embed(['a'], { kind: 'query' }));
    expect(busy.details).toMatchObject({ retryable: true, retryAfterMs: 1500 });
  });

  test('is not asked again when it says no', async () => {
    const spent = '{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}';
    const refusals = [
      [400, '{"error":{"message":"Too many tokens."}}', 'invalid', 'Too many tokens.'],
      [401, '{"error":"No."}', 'unauthorized', 'No.'],
      [403, '{"message":"Not here."}', 'forbidden', 'Not here.'],
      [404, '{"detail":"No such model."}', 'not-found', 'No such model.'],
      [422, 'plain words', 'invalid', 'plain words'],
      [429, spent, 'overloaded', 'You exceeded your current quota.'],
      [429, '{}', 'overloaded', '{}', '3600'],
    ] as const;
    for (const [status, body, code, words, retryAfter] of refusals) {
      server.seen.length = 0;
      server.next.push({
        status,
        body,
        ...(retryAfter === undefined ? {} : { headers: { 'Retry-After': retryAfter } }),
      });
      const { inserted } = await insertVia({}, ['one']);
      expect(inserted).toBeInstanceOf(OwnError);
      const { message, details, ...error } = inserted as ElanusError;
      expect([error.code, message, server.seen.length]).toEqual([
        code,
        `${server.url} answered with status ${status}: ${words}`,
        1,
      ]);
      expect(details).toMatchObject({ url: server.url, status });
    }
  });

  test('never makes us say the key, not even when it repeats it', async () => {
    const apiKey = 'sk-very-private';
    const address = new URL(server.url);
    address.username = 'user';
    address.password = 'pass-word';
    const errors = [
      await failureOf(embedderOf({ apiKey }).embed(['a'], { kind: 'query' })),
      await failureOf(
        embedderOf({ url: `http://127.0.0.1:9/?key=in-the-address`, apiKey }).embed(['a'], { kind: 'query' }),
      ),
      await failureOf((async () => embedderOf({ url: address, apiKey }))()),
      await failureOf((async () => embedderOf({ apiKey: `${apiKey}\n` }))()),
    ];
    expect(errors.map(({ code }) => code)).toEqual(['unauthorized', 'unavailable', 'invalid', 'invalid']);
    for (const error of errors) {
      const all = `${error.message} ${JSON.stringify(error.details)} ${String(error.cause)} ${error.stack}`;
      expect(all).not.toMatch(/very-private|in-the-address|pass-word/);
    }
    expect(JSON.stringify(embedderOf({ apiKey }))).not.toContain(apiKey);
  });

  test('that gives something else is refused, with what was wrong', async () => {
    const answers: readonly (readonly [unknown, RegExp])[] = [
      ['<!doctype html>', /without a list of embeddings.*Is this the address/],
      [{ data: [] }, /with 0 embeddings for 2 texts/],
      [
        {
          data: [
            { index: 0, embedding: [1, 2, 3, 4] },
            { index: 0, embedding: [1, 2, 3, 4] },
          ],
        },
        /one `index` of 0 to 1/,
      ],
      [
        {
          data: [
            { index: 0, embedding: [1, 2, 3, 4] },
            { index: 2, embedding: [1, 2, 3, 4] },
          ],
        },
        /one `index` of 0 to 1/,
      ],
      [{ data: [{ index: 0, embedding: [1, 2, 3] }, null] }, /with 3 values .* `dimension` says 4.*dimensions: 4/],
      [{ data: [{ embedding: [1, 2, 3, '4'] }, null] }, /embedding 0 is neither a list of numbers nor base64/],
      [{ data: [{ embedding: 'AAAA' }, null] }, /embedding 0 is neither/],
      [{ data: [{ embedding: '%' }, null] }, /embedding 0 is neither/],
    ];
    for (const [answer, message] of answers) {
      server.next.push({ body: typeof answer === 'string' ? answer : JSON.stringify(answer) });
      const error = await failureOf(embedderOf().embed(['a', 'b'], { kind: 'query' }));
      expect([error.code, error.message]).toEqual(['invalid', expect.stringMatching(message)]);
    }
  });

  test('without `index` counts in order', async () => {
    const embedding = (first: number): number[] => [first, 0, 0, 0];
    server.next.push({ body: JSON.stringify({ data: [{ embedding: embedding(1) }, { embedding: embedding(2) }] }) });
    const vectors = await embedderOf().embed(['a', 'b'], { kind: 'query' });
    expect(vectors.map(([first]) => first)).toEqual([1, 2]);
  });

  test('hears that its caller has gone', async () => {
    server.next.push('hang');
    const controller = new AbortController();
    const embedding = failureOf(embedderOf().embed(['a'], { kind: 'query', signal: controller.signal }));
    while (server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    expect((await embedding).details['retryable']).toBe(false);
    while (server.left.count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  test.each([
    [{ url: 'localhost:1234/v1/embeddings' }, 'url'],
    [{ url: 'http://:80x' }, 'url'],
    [{ model: '' }, 'model'],
    [{ dimension: 0 }, 'dimension'],
    [{ dimension: 1.5 }, 'dimension'],
    [{ headers: { 'api-key': 'a\r\nb' } }, 'api-key'],
  ])('refuses options that cannot be right: %o', (options, option) => {
    expect(() => embedderOf(options)).toThrow(expect.objectContaining({ code: 'invalid', details: { option } }));
  });
});
