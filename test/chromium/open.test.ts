import { describe, expect, test } from 'vitest';
import type { StorageKind } from '../../browser/protocol.ts';
import type { Database } from '../../core/client/database.ts';
import type { SearchTrace } from '../../core/elanus.ts';
import { engineSuite, failure } from '../conformance/engine.ts';
import { freshName, openSource } from './engine.ts';

const KINDS: readonly StorageKind[] = ['indexeddb+opfs', 'indexeddb', 'memory'];

for (const storage of KINDS) {
  engineSuite(`open in Chromium over ${storage}`, async () => {
    const opened: Database<'number' | 'bigint' | 'string'>[] = [];
    return {
      open: async (options) => {
        const db = await openSource(freshName(), { storage, ...options });
        opened.push(db as unknown as Database<'number'>);
        return db;
      },
      dispose: async () => {
        for (const db of opened) await db.destroy();
      },
    };
  });
}

const place = { collectionName: 'docs' };

describe('a database in the tab', () => {
  test.each(['indexeddb+opfs', 'indexeddb'] as const)('is there again after closing, over %s', async (storage) => {
    const name = freshName();
    const first = await openSource(name, { storage });
    expect((await first.info()).storage).toBe(storage);
    await first.createCollection({ ...place, dimension: 2 });
    await first.insert({ ...place, data: [{ id: 1, vector: [1, 0], note: 'log' }] });
    await first.flush(place);
    await first.insert({ ...place, data: [{ id: 2, vector: [0, 1], note: 'tail' }] });
    await first.close();
    const second = await openSource(name, { storage });
    const [hits] = await second.search({ ...place, data: [[1, 0]], limit: 5, outputFields: ['note'] });
    expect(hits?.map((hit) => hit['note'])).toEqual(['log', 'tail']);
    await second.destroy();
    const third = await openSource(name, { storage });
    expect(await third.listCollections()).toEqual([]);
    await third.destroy();
  });

  test('takes the best storage that there is, and says which, with room and memory', async () => {
    const db = await openSource(freshName());
    const info = await db.info();
    expect(info).toMatchObject({ host: 'browser', storage: 'indexeddb+opfs' });
    expect(info.quota).toBeGreaterThan(0);
    expect(info.persisted).toBe(false);
    expect(info.memory.bytesMax).toBeGreaterThan(0);
    expect(typeof (await db.requestPersistence())).toBe('boolean');
    expect(crossOriginIsolated).toBe(false);
    await db.destroy();
  });

  test('tells across its workers what it consists of, what it holds, and where a search spent its time', async () => {
    const name = freshName();
    const db = await openSource(name, { memoryBytesMax: 32 * 1024 * 1024 });
    await db.createCollection({ ...place, dimension: 64 });
    const data = Array.from({ length: 2_000 }, (_, id) => ({ id, vector: new Float32Array(64).fill(id) }));
    await db.insert({ ...place, data });
    await db.flush(place);
    const { memory, collections } = await db.inspect();
    expect(memory.bytesMax).toBe(32 * 1024 * 1024);
    expect(memory.bytes).toBeGreaterThan(2_000 * 64 * 4);
    expect(memory.bytesPeak).toBeLessThanOrEqual(memory.bytesMax);
    const [segment] = collections[0]?.channels[0]?.segments ?? [];
    expect(segment).toMatchObject({ state: 'flushed', rows: 2_000, liveRows: 2_000 });
    const traces: SearchTrace[] = [];
    await db.search({ ...place, data: [data[5]?.vector ?? []] }, { onTrace: (trace) => traces.push(trace) });
    expect(traces[0]?.channels[0]?.segments[0]).toMatchObject({ rows: 2_000, rowsAllowed: 2_000 });
    expect(traces[0]?.totalMs).toBeGreaterThan(0);
    await db.releaseCollection(place);
    expect((await db.info()).memory.kinds.vectors).toBe(0);
    await db.destroy();
    expect((await failure(openSource(name, { memoryBytesMax: 1_000 }))).code).toBe('invalid');
  });

  test('moves the buffers of vectors where the caller allows it', async () => {
    const db = await openSource(freshName(), { storage: 'memory' });
    await db.createCollection({ ...place, dimension: 4 });
    const vector = new Float32Array([1, 2, 3, 4]);
    await db.insert({ ...place, data: [{ id: 1, vector }] }, { transfer: [vector.buffer] });
    expect(vector.length).toBe(0);
    expect((await db.get({ ...place, id: 1 }))[0]?.['vector']).toEqual(new Float32Array([1, 2, 3, 4]));
    await db.destroy();
  });

  test('rejects calls after closing, and a bad name before anything is opened', async () => {
    const db = await openSource(freshName(), { storage: 'memory' });
    await db.close();
    await db.close();
    expect((await failure(db.listCollections())).code).toBe('closed');
    expect((await failure(openSource('a/b'))).code).toBe('invalid');
  });

  test('stops waiting when its caller does, and says that a write may be done', async () => {
    const db = await openSource(freshName(), { storage: 'memory' });
    await db.createCollection({ ...place, dimension: 256 });
    const data = Array.from({ length: 2_000 }, (_, id) => ({ id, vector: new Float32Array(256).fill(id) }));
    const controller = new AbortController();
    const insert = failure(db.insert({ ...place, data }, { signal: controller.signal }));
    controller.abort();
    expect(await insert).toMatchObject({ name: 'AbortError', code: 'aborted', details: { outcome: 'unknown' } });
    expect((await failure(db.insert({ ...place, data }, { timeoutMs: 0 }))).code).toBe('timeout');
    await db.destroy();
  });

  test('inserts and searches text through a typed handle with an embedder', async () => {
    const db = await openSource(freshName(), { storage: 'memory', int64: 'bigint' });
    const embedder = {
      model: 'letters',
      dimension: 26,
      embed: async (texts: readonly string[]) =>
        texts.map((text) =>
          Float32Array.from({ length: 26 }, (_, at) => text.split(String.fromCharCode(97 + at)).length - 1),
        ),
    };
    const notes = db.collection('notes', {
      fields: {
        id: { type: 'Int64', primary: true },
        text: 'VarChar',
        stars: { type: 'Int8', nullable: true },
        v: 'FloatVector',
      },
      embedder,
    });
    await notes.create();
    const progress: string[] = [];
    await notes.insert(
      [
        { id: 1n, text: 'kite' },
        { id: 2, text: 'zebra', stars: 5 },
      ],
      { onProgress: ({ phase, done, total }) => progress.push(`${phase} ${done}/${total}`) },
    );
    expect(progress).toEqual(['embed 2/2', 'insert 2/2']);
    const [hits] = await notes.search({ data: ['kites'], limit: 1, outputFields: ['text', 'stars'] });
    const id: bigint | undefined = hits?.[0]?.id;
    expect([id, hits?.[0]?.text, hits?.[0]?.stars]).toEqual([1n, 'kite', null]);
    const wrong = db.collection('notes', { fields: { id: 'VarChar' } });
    expect((await failure(wrong.query({ limit: 1 }))).message).toMatch(/id is Int64, not VarChar/);
    const other = db.collection('notes', { embedder: { ...embedder, dimension: 3 }, vectorField: 'v' });
    expect((await failure(other.search({ data: ['x'] }))).message).toMatch(/dimension 26/);
    await db.destroy();
  });
});
