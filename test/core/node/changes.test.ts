import { beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../core/client/connect.ts';
import type { Database } from '../../../core/client/database.ts';
import type { Change, Hit, KeyOf } from '../../../core/elanus.ts';
import type { Change as CoreChange } from '../../../core/model/change.ts';
import { CHANGE_KEYS_MAX } from '../../../core/model/limits.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { failure } from '../../conformance/engine.ts';
import { SimulatedClock, settle } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

const place = { collectionName: 'c' };
const clock = new SimulatedClock({ auto: true });

let objects: MemoryStore;
let running: TestCluster;
let db: Database;

async function start(): Promise<TestCluster> {
  return testCluster({ objects, clock, memoryBytes: 256 * 1024 * 1024 });
}

function rows(...ids: number[]): Record<string, unknown>[] {
  return ids.map((id) => ({ id, n: id * 10, vector: [id, 1] }));
}

beforeEach(async () => {
  objects = new MemoryStore();
  running = await start();
  db = databaseOn(running);
});

describe('subscribe', () => {
  test('hears of everything that is committed, with its keys, in order, once it can be read', async () => {
    const heard: Change<readonly KeyOf<'number'>[]>[] = [];
    const counts: Promise<number>[] = [];
    db.subscribe((change) => {
      heard.push(change);
      if (change.kind === 'write' || change.kind === 'delete') counts.push(db.count(place));
    });
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    await db.insert({ ...place, data: rows(1, 2, 3) });
    await db.upsert({ ...place, data: rows(3) });
    await db.delete({ ...place, ids: [1] });
    await db.delete({ ...place, filter: 'n >= 30' });
    await db.delete({ ...place, filter: 'n >= 1000' });
    await db.releaseCollection(place);
    await db.loadCollection(place);
    await db.dropCollection(place);
    expect(heard.map(({ kind, keys, count }) => [kind, keys, count])).toEqual([
      ['create', undefined, 0],
      ['write', [1, 2, 3], 3],
      ['write', [3], 1],
      ['delete', [1], 1],
      ['delete', [3], 1],
      ['release', undefined, 0],
      ['load', undefined, 0],
      ['drop', undefined, 0],
    ]);
    expect(new Set(heard.map((change) => `${change.databaseName}/${change.collectionName}`))).toEqual(
      new Set(['default/c']),
    );
    const written = heard.slice(1, 5).map(({ timestamp }) => timestamp);
    expect(written).toEqual([...written].sort());
    expect(structuredClone(heard)).toEqual(heard);
    expect(await Promise.all(counts)).toEqual([3, 3, 2, 1]);
  });

  test('hears nothing of what failed, and nothing after it was ended, once or twice, or after `close`', async () => {
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    const heard: unknown[] = [];
    const end = db.subscribe((change) => heard.push(change));
    await failure(db.insert({ ...place, data: { id: 1, vector: [1] } }));
    await failure(db.createCollection({ ...place, dimension: 3 }));
    expect(heard).toEqual([]);
    end();
    end();
    db.subscribe((change) => heard.push(change));
    await db.close();
    await databaseOn(running).insert({ ...place, data: rows(1) });
    expect(heard).toEqual([]);
    expect(running.changes.announce).toBeUndefined();
    expect(() => db.subscribe(() => undefined)).toThrow('closed');
  });

  test('a handle hears of its own collection alone, keys in the caller’s type, many keys as a number', async () => {
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    await db.createCollection({ collectionName: 'other', dimension: 2, metricType: 'L2' });
    const texts = databaseOn(running, { int64: 'string' });
    const heard: unknown[][] = [];
    const tell = ({ kind, keys, count }: Change<unknown>): unknown => heard.push([kind, keys, count]);
    texts.collection('c').subscribe(tell);
    db.collection('c').subscribe(tell);
    await db.insert({ collectionName: 'other', data: rows(1) });
    await texts.insert({ ...place, data: { id: 2n ** 60n, vector: [1, 1] } });
    expect(heard).toEqual([
      ['write', [String(2n ** 60n)], 1],
      ['write', undefined, 1],
    ]);
    heard.length = 0;
    const many = Array.from({ length: CHANGE_KEYS_MAX + 1 }, (_, id) => id);
    await db.insert({ ...place, data: rows(...many) });
    expect(heard).toEqual([
      ['write', undefined, CHANGE_KEYS_MAX + 1],
      ['write', undefined, CHANGE_KEYS_MAX + 1],
    ]);
  });

  test('what is announced carries the keys and nothing else of the record', async () => {
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    const announced: CoreChange[] = [];
    running.changes.subscribe((change) => announced.push(change));
    await db.insert({ ...place, data: rows(1, 2, 3) });
    const keys = announced[0]?.keys;
    expect(keys).toEqual(BigInt64Array.of(1n, 2n, 3n));
    expect(keys instanceof BigInt64Array && keys.buffer.byteLength).toBe(24);
  });

  test('who takes over says that the last changes may have been heard by nobody', async () => {
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    await db.insert({ ...place, data: rows(1) });
    const next = await start();
    const heard: string[] = [];
    databaseOn(next)
      .collection('c')
      .subscribe(({ kind }) => heard.push(kind));
    await databaseOn(next).insert({ ...place, data: rows(2) });
    expect(heard).toEqual(['unknown', 'write']);
  });

  test('a host whose announcing fails loses nothing', async () => {
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    const traced: string[] = [];
    const broken = await testCluster({
      objects,
      clock,
      memoryBytes: 256 * 1024 * 1024,
      host: {
        announce: () => {
          throw new TypeError('The channel is closed.');
        },
        trace: ({ name }) => traced.push(name),
      },
    });
    await databaseOn(broken).insert({ ...place, data: rows(1, 2) });
    expect(await databaseOn(broken).count(place)).toBe(2);
    expect(traced).toContain('announce-failed');
  });
});

describe('liveSearch', () => {
  const body = { data: [[0, 1]], limit: 2 };

  beforeEach(() => db.createCollection({ ...place, dimension: 2, metricType: 'L2' }));

  function idsOf(hits: readonly (readonly Hit[])[]): unknown[] {
    return hits.map((list) => list.map((hit) => hit['id']));
  }

  async function rest(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await settle();
  }

  test('shows what is nearest after each write, delete and flush, and says nothing where nothing changes', async () => {
    const shown: unknown[] = [];
    const live = db.collection('c').liveSearch(body, (hits) => shown.push(idsOf(hits)));
    await rest();
    await db.insert({ ...place, data: rows(5, 6) });
    await rest();
    await db.insert({ ...place, data: rows(7) });
    await rest();
    await db.flush(place);
    await rest();
    await db.delete({ ...place, ids: [5] });
    await rest();
    live.stop();
    await db.insert({ ...place, data: rows(1) });
    await rest();
    expect(shown).toEqual([[[]], [[5, 6]], [[6, 7]]]);
  });

  test('a changed field is a changed result', async () => {
    await db.insert({ ...place, data: rows(1) });
    const shown: unknown[] = [];
    db.liveSearch({ ...place, ...body, outputFields: ['n'] }, (hits) => shown.push(hits[0]?.[0]?.['n']));
    await rest();
    await db.upsert({ ...place, data: { id: 1, n: 99, vector: [1, 1] } });
    await rest();
    expect(shown).toEqual([10, 99]);
  });

  test('a burst of writes ends with the last, in few searches', async () => {
    let searches = 0;
    const { search } = db;
    db.search = (...args) => {
      searches += 1;
      return search.apply(db, args);
    };
    const shown: unknown[] = [];
    db.collection('c').liveSearch({ ...body, limit: 1 }, (hits) => shown.push(idsOf(hits)));
    await Promise.all(Array.from({ length: 200 }, (_, at) => db.insert({ ...place, data: rows(300 - at) })));
    await rest();
    expect(shown.at(-1)).toEqual([[101]]);
    expect(searches).toBeLessThan(100);
  });

  test('texts are embedded once', async () => {
    const asked: string[] = [];
    const embedder = {
      model: 'm',
      dimension: 2,
      embed: async (texts: readonly string[]) => {
        asked.push(...texts);
        return texts.map((text) => new Float32Array([text.length, 1]));
      },
    };
    const shown: unknown[] = [];
    db.collection('c', { embedder, vectorField: 'vector', textField: 'text' }).liveSearch(
      { data: ['abcde'], limit: 1 },
      (hits) => shown.push(idsOf(hits)),
    );
    await rest();
    await db.insert({ ...place, data: rows(9) });
    await rest();
    await db.insert({ ...place, data: rows(6) });
    await rest();
    expect(shown).toEqual([[[]], [[9]], [[6]]]);
    expect(asked).toEqual(['abcde']);
  });

  test('ends with not-found when the collection is dropped, though another takes its name', async () => {
    const errors: unknown[] = [];
    const shown: unknown[] = [];
    db.collection('c').liveSearch(body, (hits) => shown.push(hits), {
      onError: (error) => errors.push((error as { code: string }).code),
    });
    await rest();
    await db.dropCollection(place);
    await db.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    await db.insert({ ...place, data: rows(1) });
    await rest();
    expect(errors).toEqual(['not-found']);
    expect(shown.length).toBe(1);
  });

  test('a bad search is told to onError, and a database that cannot announce refuses at once', async () => {
    const errors: unknown[] = [];
    db.collection('c').liveSearch({ ...body, limit: -1 }, () => undefined, {
      onError: (error) => errors.push((error as { code: string }).code),
    });
    await rest();
    expect(errors).toEqual(['invalid']);
    const remote = connect({ url: 'http://localhost:1' });
    expect(() => remote.subscribe(() => undefined)).toThrow('HTTP');
    expect(() => remote.liveSearch({ ...place, ...body }, () => undefined)).toThrow('HTTP');
    expect(() => remote.collection('c').liveSearch(body, () => undefined)).toThrow('HTTP');
  });
});
