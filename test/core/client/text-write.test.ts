import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, ElanusError } from '../../../core/base/error.ts';
import type { Database } from '../../../core/client/database.ts';
import type { Embedder, EmbeddingCache, Progress } from '../../../core/elanus.ts';
import { freshDatabase } from './fresh-database.ts';
import { type LetterEmbedder, letterEmbedder, vectorOfText } from './letter-embedder.ts';

const FIELDS = { id: { type: 'Int64', primary: true }, text: 'VarChar', vector: 'FloatVector' } as const;
const PART = 256;

interface Note {
  readonly id: number;
  readonly text: string;
  readonly vector?: Float32Array;
}

function notesOf(db: Database, embedder: Embedder, embeddingCache?: EmbeddingCache | false) {
  return db.collection('notes', {
    fields: FIELDS,
    embedder,
    ...(embeddingCache === undefined ? {} : { embeddingCache }),
  });
}

/** Everything that is stored, through a handle that knows of no embedder. */
async function stored(db: Database): Promise<[number, string, number[]][]> {
  const rows = await db
    .collection('notes', { fields: FIELDS })
    .query({ filter: 'id >= 0', outputFields: ['*'], limit: 16_000, consistencyLevel: 'Strong' });
  return rows
    .map(({ id, text, vector }): [number, string, number[]] => [id, text, [...vector]])
    .sort(([a], [b]) => a - b);
}

function expected(rows: readonly Note[]): [number, string, number[]][] {
  return rows.map(({ id, text, vector }) => [id, text, [...(vector ?? vectorOfText(text, 'document'))]]);
}

/** Rows with few different texts, some of which bring their vector. */
function someRows(count: number, seed: number): Note[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    text: `text ${(id * seed) % (count < 40 ? 7 : 300)}`,
    ...((id + seed) % 11 === 0 ? { vector: new Float32Array([1, 2, 3, id]) } : {}),
  }));
}

async function failureOf(call: Promise<unknown>): Promise<ElanusError> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as ElanusError,
  );
}

describe('texts that are written', () => {
  test('give the same rows however they are cut, repeated, cached and ordered', async () => {
    const split = fc.record({
      count: fc.constantFrom(1, 2, 63, 64, 65, PART - 1, PART, PART + 1, 700),
      seed: fc.integer({ min: 1, max: 1000 }),
      batchSize: fc.integer({ min: 1, max: 400 }),
      concurrency: fc.integer({ min: 1, max: 5 }),
      cache: fc.constantFrom<'memory' | 'none'>('memory', 'none'),
      verb: fc.constantFrom<'insert' | 'upsert'>('insert', 'upsert'),
    });
    await fc.assert(
      fc.asyncProperty(split, async ({ count, seed, batchSize, concurrency, cache, verb }) => {
        const db = await freshDatabase();
        // Slower calls come back after faster ones.
        const embedder = letterEmbedder({
          batchSize,
          concurrency,
          before: (call) => (call % 3 === 0 ? new Promise((resolve) => setTimeout(resolve)) : undefined),
        });
        const notes = notesOf(db, embedder, cache === 'none' ? false : undefined);
        await notes.create();
        const rows = someRows(count, seed);
        const answer = await notes[verb](rows);
        expect(Object.values(answer)).toEqual([count, rows.map(({ id }) => id)]);
        expect(await stored(db)).toEqual(expected(rows));
        const asked = embedder.calls.flatMap(({ texts }) => texts);
        expect(asked.length, 'a text twice').toBe(new Set(asked).size);
        expect(Math.max(0, ...embedder.calls.map(({ texts }) => texts.length))).toBeLessThanOrEqual(batchSize);
      }),
      { numRuns: 25 },
    );
  });

  test('are cut by their size too: long texts do not make a request that is refused', async () => {
    const db = await freshDatabase();
    const notes = notesOf(db, letterEmbedder({ batchSize: 300 }), false);
    await notes.create();
    // One request by their number, and then of 18 MB, which is too large.
    const rows = Array.from({ length: 300 }, (_, id) => ({ id, text: String(id).padEnd(60_000, '.') }));
    expect((await notes.insert(rows)).insertCount).toBe(300);
    expect(await notes.count()).toBe(300);
  });

  test('at most `concurrency` calls are under way, and several are', async () => {
    for (const concurrency of [1, 3]) {
      let running = 0;
      let most = 0;
      const embedder = letterEmbedder({
        batchSize: 2,
        concurrency,
        before: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
        },
      });
      const db = await freshDatabase();
      const notes = notesOf(db, embedder);
      await notes.create();
      await notes.insert(Array.from({ length: 20 }, (_, id) => ({ id, text: `${id}` })));
      expect(most).toBe(concurrency);
    }
  });

  test('tell how far they are: texts, then rows, up to their totals', async () => {
    const db = await freshDatabase();
    const notes = notesOf(db, letterEmbedder({ batchSize: 100 }));
    await notes.create();
    const heard: Progress[] = [];
    const rows = someRows(600, 13);
    await notes.insert(rows, { onProgress: (progress) => heard.push(progress) });
    const texts = rows.filter(({ vector }) => vector === undefined).length;
    for (const [phase, total] of [['embed', texts] as const, ['insert', 600] as const]) {
      const done = heard.filter((progress) => progress.phase === phase);
      expect(done.every((progress) => progress.total === total)).toBe(true);
      expect(done.map((progress) => progress.done)).toEqual(
        done.map((progress) => progress.done).toSorted((a, b) => a - b),
      );
      expect(done.at(-1)?.done).toBe(total);
    }
    expect(heard.filter(({ phase }) => phase === 'insert').map(({ done }) => done)).toEqual([256, 512, 600]);
  });
});

describe('rows that cannot be written', () => {
  test('are refused before anything is embedded, by their number in the call', async () => {
    const db = await freshDatabase();
    const embedder = letterEmbedder();
    const notes = notesOf(db, embedder);
    await notes.create();
    const rows = (bad: object): Note[] => someRows(600, 13).map((row, at) => (at === 555 ? { ...row, ...bad } : row));
    const wrong: readonly (readonly [object, string])[] = [
      [{ text: 5 }, 'text'],
      [{ text: 'x'.repeat(65_536) }, 'text'],
      [{ id: 'five' }, 'id'],
      [{ shelf: 5 }, 'shelf'],
      [{ vector: [1, 2, 3] }, 'vector'],
    ];
    for (const verb of ['insert', 'upsert'] as const) {
      for (const [bad, field] of wrong) {
        const error = await failureOf(notes[verb](rows(bad)));
        expect([error.code, error.details['row'], error.details['field']]).toEqual(['invalid', 555, field]);
      }
    }
    const twice = await failureOf(notes.upsert(rows({ id: '7' })));
    expect([twice.code, twice.details]).toEqual(['invalid', { field: 'id', row: 555, key: '7' }]);
    expect(embedder.calls).toEqual([]);
    expect(await notes.count()).toBe(0);
  });

  test('are said when they come, where nobody can say it before; the rows before them are written', async () => {
    const db = await freshDatabase();
    // As over HTTP.
    Object.assign(db, { checkRows: () => Promise.reject(new ElanusError('unsupported', 'There is no method.')) });
    const notes = notesOf(db, letterEmbedder());
    await notes.create();
    const rows = someRows(600, 13).map((row) => (row.id === 555 ? { ...row, text: 'x'.repeat(65_536) } : row));
    const error = await failureOf(notes.insert(rows));
    expect([error.code, error.details]).toEqual([
      'invalid',
      { field: 'text', row: 555, rowsWritten: 512, outcome: 'partly-written' },
    ]);
    expect(error.message).toMatch(/The first 512 of 600 rows are written, the others are not\.$/);
    expect(await stored(db)).toEqual(expected(rows.slice(0, 512)));
    expect(await notes.delete({ ids: [1] })).toEqual({ deleteCount: 1 });
  });
});

describe('a call that is stopped', () => {
  const TEXTS = Array.from({ length: 600 }, (_, id) => ({ id, text: `text ${id}` }));

  test('leaves the first rows, part by part, and says how many; the rest can be written after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('before', 'never answers', 'fails'),
        async (atCall, how) => {
          const db = await freshDatabase();
          const controller = new AbortController();
          const embedder: LetterEmbedder = letterEmbedder({
            batchSize: 50,
            before: (call) => {
              if (call !== atCall) return undefined;
              if (how === 'fails') throw new ElanusError('invalid', 'A text is too long.');
              controller.abort('enough');
              return how === 'before' ? undefined : new Promise(() => undefined);
            },
          });
          const notes = notesOf(db, embedder);
          await notes.create();
          const error = await failureOf(notes.insert(TEXTS, { signal: controller.signal }));
          const written = Math.floor(((atCall - 1) * 50 + 49) / 300) * PART;
          // Calls of 50: 256 texts are six calls, the last of six texts.
          expect(Math.floor((atCall - 1) / 6) * PART).toBe(written);
          expect(codeOf(error)).toBe(how === 'fails' ? 'invalid' : 'aborted');
          if (how !== 'fails') {
            expect(error.name).toBe('AbortError');
            expect(error.details).toMatchObject({
              rowsWritten: written,
              outcome: written === 0 ? 'not-written' : 'partly-written',
            });
            expect(error.message).toContain(written === 0 ? 'Nothing was written' : `first ${written} of 600 rows`);
          } else if (written > 0) {
            expect(error.details).toMatchObject({ rowsWritten: written });
          }
          expect(await stored(db)).toEqual(expected(TEXTS.slice(0, written)));
          const before = embedder.calls.length;
          await notes.insert(TEXTS.slice(written));
          expect(await stored(db)).toEqual(expected(TEXTS));
          // What was embedded is in the cache; the stopped batch is embedded again.
          const again = embedder.calls.slice(before).flatMap(({ texts }) => texts);
          const finished = embedder.calls.slice(0, atCall - 1).flatMap(({ texts }) => texts);
          expect(again.filter((text) => finished.includes(text))).toEqual([]);
        },
      ),
      { numRuns: 16 },
    );
  });

  test('hands its signal on, and does not begin if it is aborted already', async () => {
    const db = await freshDatabase();
    const controller = new AbortController();
    let heard: AbortSignal | undefined;
    const embedder: Embedder = {
      ...letterEmbedder(),
      embed: (_, { signal }) => {
        heard = signal;
        return new Promise(() => undefined);
      },
    };
    const notes = notesOf(db, embedder);
    await notes.create();
    const inserting = failureOf(notes.insert({ id: 1, text: 'a' }, { signal: controller.signal }));
    while (heard === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort('enough');
    expect((await inserting).cause).toBe('enough');
    expect(heard.aborted).toBe(true);
    heard = undefined;
    const again = await failureOf(notes.search({ data: ['a'] }, { signal: controller.signal }));
    expect([again.code, heard]).toEqual(['aborted', undefined]);
  });

  test('sends nothing afterwards, not even what needed no embedding', async () => {
    const db = await freshDatabase();
    const controller = new AbortController();
    const cache: EmbeddingCache = {
      get: async (_, texts) => {
        controller.abort();
        return texts.map((text) => vectorOfText(text, 'document'));
      },
      set: async () => undefined,
    };
    const notes = notesOf(db, letterEmbedder(), cache);
    await notes.create();
    const error = await failureOf(notes.insert({ id: 1, text: 'a' }, { signal: controller.signal }));
    expect([error.code, error.details]).toEqual(['aborted', { outcome: 'not-written', rowsWritten: 0 }]);
    expect(await notes.count()).toBe(0);
  });

  test('ends when its time is up, in the embedder as in the engine', async () => {
    const db = await freshDatabase();
    const notes = notesOf(db, letterEmbedder({ before: () => new Promise(() => undefined) }));
    await notes.create();
    const late = await failureOf(notes.insert({ id: 1, text: 'a' }, { timeoutMs: 20 }));
    expect([late.code, late.details]).toEqual(['timeout', { timeoutMs: 20, outcome: 'not-written', rowsWritten: 0 }]);
    expect((await failureOf(notes.search({ data: ['a'] }, { timeoutMs: 20 }))).code).toBe('timeout');
    expect(await notes.count()).toBe(0);
  });

  test('is none of another call: they share the look at the collection, not the signal', async () => {
    const db = await freshDatabase();
    const notes = notesOf(db, letterEmbedder());
    await notes.create();
    const controller = new AbortController();
    const stopped = failureOf(notes.insert({ id: 1, text: 'a' }, { signal: controller.signal }));
    const other = notes.insert({ id: 2, text: 'b' });
    controller.abort();
    expect((await stopped).details).toMatchObject({ outcome: 'not-written' });
    expect(await other).toEqual({ insertCount: 1, insertIds: [2] });
  });
});
