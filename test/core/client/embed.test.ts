import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ElanusError } from '../../../core/base/error.ts';
import type { Database } from '../../../core/client/database.ts';
import { MemoryEmbeddingCache } from '../../../core/client/embedding-cache.ts';
import type { Embedder, EmbeddingCache } from '../../../core/elanus.ts';
import { freshDatabase } from './fresh-database.ts';
import { letterEmbedder, vectorOfText } from './letter-embedder.ts';

const FIELDS = { id: { type: 'Int64', primary: true }, text: 'VarChar', vector: 'FloatVector' } as const;

async function failureOf(call: Promise<unknown>): Promise<ElanusError> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as ElanusError,
  );
}

function notesOf(db: Database, embedder: Embedder, embeddingCache?: EmbeddingCache | false) {
  const cache = embeddingCache === undefined ? {} : { embeddingCache };
  return db.collection('notes', { fields: FIELDS, embedder, ...cache });
}

describe('the model of a collection', () => {
  const rows = [{ id: 1, text: 'one' }];

  async function refusals(db: Database, embedder: Embedder): Promise<ElanusError[]> {
    const other = notesOf(db, embedder);
    const paths = [
      () => other.create(),
      () => other.insert(rows),
      () => other.insert([{ id: 2, text: 'two', vector: [1, 2, 3, 4] }]),
      () => other.upsert(rows),
      () => other.search({ data: ['one'] }),
      () => other.search({ data: [[1, 2, 3, 4]] }),
      () => other.get(1),
      () => other.query({ limit: 1 }),
      () => other.count(),
      () => other.delete({ ids: [1] }),
    ];
    return Promise.all(paths.map((call) => failureOf(call())));
  }

  test('is remembered; another is refused on every path, and nothing changes', async () => {
    const db = await freshDatabase();
    const notes = notesOf(db, letterEmbedder());
    await notes.create();
    await notes.insert(rows);
    expect((await notes.describe()).properties).toContainEqual({ key: 'elanus.embedder.vector', value: 'letters' });
    const embedder = letterEmbedder({ model: 'digits' });
    for (const error of await refusals(db, embedder)) {
      expect(error.code).toBe('invalid');
      expect(error.message).toMatch(/notes .*\bletters\b.*\bdigits\b.*create another collection/);
      expect(error.details).toEqual({ collection: 'notes', field: 'vector', model: 'letters', embedder: 'digits' });
    }
    expect(embedder.calls).toEqual([]);
    expect((await notes.query({ filter: 'id > 0', outputFields: ['text'] })).map(({ text }) => text)).toEqual(['one']);
    await notes.create();
  });

  test('is read from a collection that was created elsewhere', async () => {
    const db = await freshDatabase();
    await db.createCollection({
      collectionName: 'notes',
      schema: {
        fields: [
          { fieldName: 'id', dataType: 'Int64', isPrimary: true },
          { fieldName: 'text', dataType: 'VarChar', elementTypeParams: { max_length: 100 } },
          { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: 4 } },
        ],
      },
      indexParams: [{ fieldName: 'vector', metricType: 'COSINE', indexType: 'AUTOINDEX' }],
      properties: { 'elanus.embedder.vector': 'letters' },
    });
    const errors = await refusals(db, letterEmbedder({ model: 'digits' }));
    expect(errors.slice(1).map(({ details }) => details['model'])).toEqual(errors.slice(1).map(() => 'letters'));
    await notesOf(db, letterEmbedder()).insert(rows);
  });

  test('that nobody named is not asked for: the dimension is what is compared', async () => {
    const db = await freshDatabase();
    const plain = db.collection('notes', { fields: { ...FIELDS, vector: { type: 'FloatVector', dimension: 4 } } });
    await plain.create();
    const notes = notesOf(db, letterEmbedder());
    await notes.create();
    await notes.insert(rows);
    expect(await notes.count()).toBe(1);
    const errors = await refusals(db, letterEmbedder({ dimension: 5 }));
    for (const { code } of errors) expect(code).toBe('invalid');
    for (const { message } of errors) expect(message).toMatch(/has dimension 4, and the embedder letters makes 5/);
    // And a handle without an embedder does not mind that one is named.
    await db.dropCollection({ collectionName: 'notes' });
    await notes.create();
    await plain.create();
  });

  test('and what else an embedder says of itself must make sense', async () => {
    const db = await freshDatabase();
    await notesOf(db, letterEmbedder()).create();
    for (const wrong of [{ model: '' }, { dimension: 0 }, { dimension: 1.5 }, { batchSize: 0 }, { concurrency: -1 }]) {
      const error = await failureOf(notesOf(db, letterEmbedder(wrong)).insert(rows));
      expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(Object.keys(wrong)[0] ?? '')]);
    }
  });
});

describe('an answer of an embedder that is none', () => {
  const ANSWERS: readonly (readonly [string, (texts: readonly string[]) => unknown, RegExp])[] = [
    ['too few', (texts) => texts.slice(1).map(() => new Float32Array(4)), /gave 1 vectors for 2 texts/],
    ['too many', (texts) => [...texts, ''].map(() => new Float32Array(4)), /gave 3 vectors for 2 texts/],
    ['too short', (texts) => texts.map(() => new Float32Array(3)), /gave 3 values instead of 4 for text 0/],
    ['an array', (texts) => texts.map(() => [1, 2, 3, 4]), /gave Array instead of a Float32Array for text 0/],
    ['doubles', (texts) => texts.map(() => new Float64Array(4)), /gave Float64Array instead of a Float32Array/],
    ['nothing', () => undefined, /gave Undefined instead of a list/],
    ['one long', () => new Float32Array(8), /gave Float32Array instead of a list/],
    ['NaN', (texts) => texts.map((_, at) => new Float32Array([1, 2, 3, at / 0])), /no finite number for text 0/],
    ['too large', (texts) => texts.map(() => new Float32Array([1, 2, 1e39, 4])), /no finite number/],
  ];

  test.each(ANSWERS)('%s is refused, and nothing is written or searched', async (_, answer, message) => {
    const db = await freshDatabase();
    const embedder: Embedder = { ...letterEmbedder(), embed: async (texts) => answer(texts) as Float32Array[] };
    const notes = notesOf(db, embedder);
    await notes.create();
    const rows = ['a', 'b'].map((text, id) => ({ id, text }));
    for (const call of [() => notes.insert(rows), () => notes.upsert(rows), () => notes.search({ data: ['a', 'b'] })]) {
      const error = await failureOf(call());
      expect(error.code).toBe('invalid');
      expect(error.message).toMatch(/The embedder letters /);
      expect(error.message).toMatch(message);
    }
    expect(await notes.count()).toBe(0);
  });
});

describe('an embedder that fails', () => {
  async function tried(errors: readonly unknown[]): Promise<{ error?: ElanusError; calls: number }> {
    const db = await freshDatabase();
    const embedder = letterEmbedder({
      before: (call) => {
        if (call <= errors.length) throw errors[call - 1];
      },
    });
    const notes = notesOf(db, embedder);
    await notes.create();
    const outcome = await notes.insert({ id: 1, text: 'a' }).then(
      () => ({}),
      (error: ElanusError) => ({ error }),
    );
    expect(await notes.count()).toBe('error' in outcome ? 0 : 1);
    return { ...outcome, calls: embedder.calls.length };
  }

  const busy = new ElanusError('overloaded', 'Busy.', { details: { retryable: true, retryAfterMs: 0 } });

  test('is asked again if it says that this may help, a bounded number of times', async () => {
    expect(await tried([busy, busy, busy, busy])).toEqual({ calls: 5 });
    const { error, calls } = await tried(Array.from({ length: 9 }, () => busy));
    expect([error?.code, calls]).toEqual(['overloaded', 5]);
  });

  test('is given the pause that it asks for, and otherwise one that doubles', async () => {
    const db = await freshDatabase();
    const busyFor = (details: object): ElanusError =>
      new ElanusError('overloaded', 'Busy.', { details: { retryable: true, ...details } });
    const errors = [busyFor({}), busyFor({}), busyFor({ retryAfterMs: 30_000 }), busyFor({})];
    const embedder = letterEmbedder({
      before: (call) => {
        const error = errors[call - 1];
        if (error !== undefined) throw error;
      },
    });
    const notes = notesOf(db, embedder);
    await notes.create();
    await notes.count();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const searching = notes.search({ data: ['a'] });
      for (const [pauseMs, calls] of [500, 1000, 30_000, 4000].map((ms, at) => [ms, at + 1] as const)) {
        await vi.advanceTimersByTimeAsync(pauseMs - 1);
        expect(embedder.calls.length).toBe(calls);
        await vi.advanceTimersByTimeAsync(1);
        expect(embedder.calls.length).toBe(calls + 1);
      }
      vi.useRealTimers();
      expect(await searching).toEqual([[]]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is not asked again otherwise, nor after a pause longer than a minute', async () => {
    const longer = new ElanusError('overloaded', 'Tomorrow.', { details: { retryable: true, retryAfterMs: 61_000 } });
    for (const once of [new ElanusError('unavailable', 'Offline.'), longer, busy.message]) {
      expect((await tried([once])).calls).toBe(1);
    }
  });

  test('with an error of its own is `unavailable`, and keeps what it said', async () => {
    const cause = new RangeError('The tensor is too long.');
    const { error } = await tried([cause]);
    expect([error?.code, error?.message]).toEqual([
      'unavailable',
      'The embedder letters failed: The tensor is too long.',
    ]);
    expect(error?.cause).toBe(cause);
  });

  test('is not waited for between attempts once the call is stopped', async () => {
    const db = await freshDatabase();
    const controller = new AbortController();
    const embedder = letterEmbedder({
      before: () => {
        setTimeout(() => controller.abort(), 1);
        throw new ElanusError('overloaded', 'Busy.', { details: { retryable: true, retryAfterMs: 50_000 } });
      },
    });
    const notes = notesOf(db, embedder);
    await notes.create();
    const error = await failureOf(notes.insert({ id: 1, text: 'a' }, { signal: controller.signal }));
    expect([error.code, embedder.calls.length]).toEqual(['aborted', 1]);
  });
});

describe('a cache of embedded texts', () => {
  /** Whatever a cache may do: forget, reject, throw, or give what was never a vector of this model. */
  const LIES: readonly (() => unknown)[] = [
    () => undefined,
    () => new Float32Array(3),
    () => new Float32Array([1, Number.NaN, 1, 1]),
    () => [1, 2, 3, 4],
  ];

  function moodyCache(moods: readonly number[]): EmbeddingCache {
    const memory = new MemoryEmbeddingCache();
    let at = 0;
    const mood = (): number => moods[at++ % moods.length] ?? 0;
    return {
      get(space, texts) {
        const now = mood();
        if (now === 1) throw new Error('It is closed.');
        if (now === 2) return Promise.reject(new Error('It is full.'));
        if (now === 3) return Promise.resolve([]);
        return memory
          .get(space, texts)
          .then((found) => found.map((vector) => (now < 4 ? vector : LIES[now - 4]?.())) as Float32Array[]);
      },
      set(space, texts, vectors) {
        const now = mood();
        if (now === 1) throw new Error('It is closed.');
        if (now === 2) return Promise.reject(new Error('It is full.'));
        return memory.set(space, texts, vectors);
      },
    };
  }

  test('never changes a result, whatever it does', async () => {
    const calls = fc.array(fc.array(fc.constantFrom('', 'a', 'b', 'c', '{"', 'ä'), { minLength: 1, maxLength: 8 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(calls, fc.array(fc.nat(7), { minLength: 1, maxLength: 9 }), async (lists, moods) => {
        const db = await freshDatabase();
        const cached = notesOf(db, letterEmbedder({ batchSize: 2 }), moodyCache(moods));
        await cached.create();
        const plain = notesOf(db, letterEmbedder(), false);
        let id = 0;
        for (const texts of lists) {
          await cached.insert(texts.map((text) => ({ id: id++, text })));
          const body = { data: texts, limit: 5, outputFields: ['vector', 'text'] };
          expect(await cached.search(body)).toEqual(await plain.search(body));
        }
        const rows = await cached.query({ filter: 'id >= 0', outputFields: ['*'] });
        for (const { text, vector } of rows) expect(vector).toEqual(vectorOfText(text, 'document'));
      }),
      { numRuns: 40 },
    );
  });

  test('is by default one for all handles of an embedder, and keeps kinds, variants and dimensions apart', async () => {
    const db = await freshDatabase();
    const embedder = letterEmbedder();
    await notesOf(db, embedder).create();
    for (let round = 0; round < 2; round++) {
      await notesOf(db, embedder).upsert([{ id: 1, text: 'a' }]);
      await notesOf(db, embedder).search({ data: ['a', 'a'] });
    }
    expect(embedder.calls).toEqual([
      { texts: ['a'], kind: 'document' },
      { texts: ['a'], kind: 'query' },
    ]);
    const shared = new MemoryEmbeddingCache();
    const precise = letterEmbedder({ variant: 'fp32' });
    const coarse = letterEmbedder({ variant: 'q4' });
    for (const each of [precise, coarse, precise]) await notesOf(db, each, shared).search({ data: ['a'] });
    expect([precise.calls.length, coarse.calls.length]).toEqual([1, 1]);
    await notesOf(db, embedder, false).search({ data: ['a'] });
    expect(embedder.calls.length).toBe(3);
  });

  test('holds no buffer that the embedder uses again', async () => {
    const db = await freshDatabase();
    const buffer = new Float32Array(4);
    const embedder: Embedder = {
      ...letterEmbedder({ batchSize: 1 }),
      embed: async ([text = ''], { kind }) => {
        buffer.set(vectorOfText(text, kind));
        return [buffer];
      },
    };
    const notes = notesOf(db, embedder);
    await notes.create();
    await notes.insert(['a', 'b', 'a'].map((text, id) => ({ id, text })));
    const rows = await notes.query({ filter: 'id >= 0', outputFields: ['*'] });
    for (const { text, vector } of rows) expect(vector).toEqual(vectorOfText(text, 'document'));
  });

  test('in memory forgets what was used longest ago, within its bound', async () => {
    const cache = new MemoryEmbeddingCache(10 * (4 * 4 + 2 * 3));
    const texts = Array.from({ length: 20 }, (_, at) => String(at).padStart(2, '0'));
    for (const text of texts) {
      await cache.set('s', [text], [vectorOfText(text, 'query')]);
      await cache.get('s', ['00']);
    }
    const found = await cache.get('s', texts);
    expect(texts.filter((_, at) => found[at] !== undefined)).toEqual(['00', ...texts.slice(-9)]);
  });
});
