import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, type ElanusError } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import type { Database } from '../../core/client/database.ts';
import type { Int64Mode, Row } from '../../core/elanus.ts';

// Longer than 400 lines: one contract is one suite, so that no host can run half of it.

/** Opens a fresh, empty database; `reopen` closes it and opens the same data again. */
export interface EngineUnderTest {
  open<Mode extends Int64Mode = 'number'>(options?: { readonly int64?: Mode }): Promise<Database<Mode>>;
  /** Deletes everything that was opened. */
  dispose(): Promise<void>;
}

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/** What every implementation of `Elanus` promises: embedded, in a tab, and over HTTP. */
export function engineSuite(name: string, make: () => Promise<EngineUnderTest>): void {
  describe(`${name} is an Elanus`, () => {
    let engine: EngineUnderTest;
    beforeEach(async () => {
      engine = await make();
    });
    afterEach(() => engine.dispose());

    test('the first fifteen lines: create, insert, search', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'docs', dimension: 3 });
      const { insertCount, insertIds } = await db.insert({
        collectionName: 'docs',
        data: [
          { id: 1, vector: new Float32Array([1, 0, 0]), color: 'red' },
          { id: 2, vector: [0, 1, 0], color: 'blue' },
        ],
      });
      expect({ insertCount, insertIds }).toEqual({ insertCount: 2, insertIds: [1, 2] });
      const [hits] = await db.search({ collectionName: 'docs', data: [[1, 0, 0]], limit: 2, outputFields: ['color'] });
      expect(hits).toEqual([
        { id: 1, distance: 1, color: 'red' },
        { id: 2, distance: 0, color: 'blue' },
      ]);
    });

    test('rows of every field type come back as they went in, from the log and from segments', async () => {
      const db = await engine.open({ int64: 'bigint' });
      await createEveryType(db);
      const rows = everyTypeRows();
      await db.insert({ collectionName: 'types', data: rows });
      const check = async (): Promise<void> => {
        const found = await db.query({ collectionName: 'types', filter: 'k != ""', outputFields: ['*'] });
        expect(found.map(plain)).toEqual(rows.map((row) => plain(expected(row))));
      };
      await check();
      await db.flush({ collectionName: 'types' });
      await check();
    });

    test('Int64 is exact over its full range, in each form, and is never rounded', async () => {
      const big = await engine.open({ int64: 'bigint' });
      await big.createCollection({ collectionName: 'ints', dimension: 2 });
      const ids = [INT64_MAX, INT64_MIN, 9007199254740993n, 0n];
      const data = ids.map((id, index) => ({ id: index % 2 === 0 ? id : String(id), vector: [1, index] }));
      expect((await big.insert({ collectionName: 'ints', data })).insertIds).toEqual(ids);
      const found = await big.get({ collectionName: 'ints', id: ids, outputFields: ['id'] });
      expect(found.map((row) => row['id']).toSorted((a, b) => (Number(a) < Number(b) ? -1 : 1))).toEqual(
        ids.toSorted((a, b) => (a < b ? -1 : 1)),
      );
      const filtered = await big.query({ collectionName: 'ints', filter: `id == ${INT64_MAX}`, outputFields: ['id'] });
      expect(filtered).toEqual([{ id: INT64_MAX }]);
    });

    test('with int64 "number" a value beyond 2^53 is an error that names field and option', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'ints', dimension: 2 });
      await db.upsert({ collectionName: 'ints', data: { id: '5', vector: [1, 1] } });
      expect(await db.get({ collectionName: 'ints', id: 5, outputFields: ['id'] })).toEqual([{ id: 5 }]);
      const error = await failure(db.insert({ collectionName: 'ints', data: { id: INT64_MAX, vector: [1, 1] } }));
      expect(error.message).toMatch(/int64/);
    });

    test('upsert replaces, delete removes, by key and by filter; flushed rows too', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'docs', dimension: 2 });
      const rows = Array.from({ length: 20 }, (_, id) => ({ id, vector: [1, id], price: id * 10, tag: `t${id % 3}` }));
      await db.insert({ collectionName: 'docs', data: rows });
      await db.flush({ collectionName: 'docs' });
      await db.upsert({ collectionName: 'docs', data: { id: 3, vector: [0, 1], price: 999, tag: 'new' } });
      expect(await db.delete({ collectionName: 'docs', filter: 'id in [4, 5]' })).toEqual({ deleteCount: 2 });
      expect(await db.delete({ collectionName: 'docs', ids: [6] })).toEqual({ deleteCount: 1 });
      expect(await db.delete({ collectionName: 'docs', filter: 'price >= 150 and price < 200' })).toEqual({
        deleteCount: 5,
      });
      const check = async (): Promise<void> => {
        expect(await db.count({ collectionName: 'docs' })).toBe(12);
        expect(await db.get({ collectionName: 'docs', id: [3, 4, 5, 6], outputFields: ['price', 'tag'] })).toEqual([
          { id: 3, price: 999, tag: 'new' },
        ]);
        const hits = (await db.search({ collectionName: 'docs', data: [[1, 4]], limit: 30 }))[0] ?? [];
        expect(hits.map((hit) => hit['id']).toSorted((a, b) => Number(a) - Number(b))).toEqual([
          0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14,
        ]);
      };
      await check();
      await db.flush({ collectionName: 'docs' });
      await check();
    });

    test.each(['L2', 'IP', 'COSINE'] as const)('%s finds the exact neighbours, filtered or not', async (metricType) => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'near', dimension: 16, metricType });
      const random = seededRandom(7);
      const vectors = Array.from({ length: 300 }, () => Array.from({ length: 16 }, () => random() / 2 ** 31 - 1));
      const row = (id: number): Row => ({ id, vector: vectors[id], even: id % 2 === 0, part: id % 10 });
      await db.insert({ collectionName: 'near', data: vectors.slice(0, 200).map((_, id) => row(id)) });
      await db.flush({ collectionName: 'near' });
      await db.insert({ collectionName: 'near', data: vectors.slice(200).map((_, id) => row(id + 200)) });
      const queries = [vectors[5] as number[], vectors[250] as number[]];
      for (const [filter, allows] of [
        ['', () => true],
        ['even == true and part in [2, 4]', (id: number) => id % 10 === 2 || id % 10 === 4],
      ] as const) {
        const lists = await db.search({ collectionName: 'near', data: queries, limit: 10, filter });
        expect(lists.length).toBe(2);
        for (const [index, hits] of lists.entries()) {
          const exact = nearest(queries[index] as number[], vectors, metricType).filter(([id]) => allows(id));
          expect(hits.map((hit) => hit['id'])).toEqual(exact.slice(0, 10).map(([id]) => id));
          for (const [at, hit] of hits.entries()) expect(hit.distance).toBeCloseTo(exact[at]?.[1] ?? Number.NaN, 4);
        }
      }
    });

    test('limit and offset page through hits and through rows', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'pages', dimension: 2, metricType: 'L2' });
      const data = Array.from({ length: 25 }, (_, id) => ({ id, vector: [id, 0] }));
      await db.insert({ collectionName: 'pages', data });
      const search = async (limit: number, offset: number): Promise<unknown[]> =>
        ((await db.search({ collectionName: 'pages', data: [[0, 0]], limit, offset }))[0] ?? []).map(
          (hit) => hit['id'],
        );
      expect(await search(5, 0)).toEqual([0, 1, 2, 3, 4]);
      expect(await search(5, 22)).toEqual([22, 23, 24]);
      const query = async (limit: number, offset: number): Promise<unknown[]> =>
        (await db.query({ collectionName: 'pages', filter: 'id > 9', limit, offset, outputFields: ['id'] })).map(
          (row) => row['id'],
        );
      expect(await query(3, 0)).toEqual([10, 11, 12]);
      expect(await query(10, 12)).toEqual([22, 23, 24]);
      expect(await db.query({ collectionName: 'pages', filter: 'id > 9', outputFields: ['count(*)'] })).toEqual([
        { 'count(*)': 15 },
      ]);
    });

    test('several vector fields, dynamic keys, several channels', async () => {
      const db = await engine.open();
      await db.createCollection({
        collectionName: 'multi',
        schema: {
          enableDynamicField: true,
          fields: [
            { fieldName: 'key', dataType: 'VarChar', isPrimary: true, elementTypeParams: { max_length: 64 } },
            { fieldName: 'title', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
            { fieldName: 'body', dataType: 'FloatVector', elementTypeParams: { dim: '3' } },
          ],
        },
        indexParams: [
          { fieldName: 'title', metricType: 'L2', indexType: 'FLAT' },
          { fieldName: 'body', metricType: 'IP' },
        ],
        params: { shardsNum: 3 },
      });
      const data = Array.from({ length: 60 }, (_, at) => ({
        key: `k${at}`,
        title: [at, 0],
        body: [0, at, 1],
        nested: { depth: at % 4, list: [at] },
      }));
      await db.insert({ collectionName: 'multi', data });
      const near = await db.search({ collectionName: 'multi', annsField: 'title', data: [[7, 0]], limit: 3 });
      expect(near[0]?.map((hit) => hit['key'])).toEqual(
        ['k7', 'k6', 'k8'].sort((a, b) => (a === 'k7' ? -1 : b === 'k7' ? 1 : 0)),
      );
      const large = await db.search({
        collectionName: 'multi',
        annsField: 'body',
        data: [[0, 1, 0]],
        limit: 2,
        filter: 'nested["depth"] == 1',
        outputFields: ['nested'],
      });
      expect(large[0]).toEqual([
        { key: 'k57', distance: 57, nested: { depth: 1, list: [57] } },
        { key: 'k53', distance: 53, nested: { depth: 1, list: [53] } },
      ]);
      expect(await db.count({ collectionName: 'multi' })).toBe(60);
      expect((await failure(db.search({ collectionName: 'multi', data: [[1, 2]] }))).code).toBe('invalid');
    });

    test('automatic keys are distinct and below 2^53', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'auto', dimension: 2, autoID: true });
      const ids: unknown[] = [];
      for (let round = 0; round < 3; round++) {
        const data = Array.from({ length: 50 }, () => ({ vector: [1, 2] }));
        ids.push(...(await db.insert({ collectionName: 'auto', data })).insertIds);
      }
      expect(new Set(ids).size).toBe(150);
      expect(ids.every((id) => Number.isSafeInteger(id))).toBe(true);
      expect((await failure(db.insert({ collectionName: 'auto', data: { id: 1, vector: [1, 2] } }))).milvusCode).toBe(
        1804,
      );
    });

    test('collections: list, has, describe, load state, drop, and the same name again', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'a', dimension: 2 });
      await db.createCollection({ collectionName: 'a', dimension: 2 });
      expect((await failure(db.createCollection({ collectionName: 'a', dimension: 3 }))).milvusCode).toBe(1100);
      await db.createCollection({ collectionName: 'b', dimension: 2 });
      expect(await db.listCollections()).toEqual(['a', 'b']);
      expect(await db.hasCollection({ collectionName: 'a' })).toBe(true);
      expect(await db.hasCollection({ collectionName: 'c' })).toBe(false);
      const description = await db.describeCollection({ collectionName: 'a' });
      expect(description.fields.map((field) => [field.name, field.type])).toEqual([
        ['id', 'Int64'],
        ['vector', 'FloatVector'],
      ]);
      expect(description.load).toBe('LoadStateLoaded');
      await db.insert({ collectionName: 'a', data: [{ id: 1, vector: [1, 1] }] });
      expect(await db.getCollectionStatistics({ collectionName: 'a' })).toEqual({ rowCount: 1 });
      await db.releaseCollection({ collectionName: 'a' });
      expect((await failure(db.search({ collectionName: 'a', data: [[1, 1]] }))).milvusCode).toBe(101);
      await db.loadCollection({ collectionName: 'a' });
      await db.dropCollection({ collectionName: 'a' });
      expect((await failure(db.count({ collectionName: 'a' }))).milvusCode).toBe(100);
      await db.createCollection({ collectionName: 'a', dimension: 4 });
      expect(await db.count({ collectionName: 'a' })).toBe(0);
      await db.dropCollection({ collectionName: 'never' });
    });

    test('bad input is refused before anything is written, and says what is wrong', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'strict', dimension: 2, params: { enableDynamicField: false } });
      const good = { id: 1, vector: [1, 2] };
      for (const [bad, milvusCode] of [
        [{ id: 2, vector: [1, 2, 3] }, 1804],
        [{ id: 2 }, 1804],
        [{ id: 'x', vector: [1, 2] }, 1804],
        [{ id: 2, vector: [1, 2], more: 1 }, 1804],
        [{ id: 1.5, vector: [1, 2] }, 1804],
      ] as const) {
        const error = await failure(db.insert({ collectionName: 'strict', data: [good, bad] }));
        expect([error.code, error.milvusCode], JSON.stringify(bad)).toEqual(['invalid', milvusCode]);
      }
      // JSON has no NaN, so a client over HTTP refuses it in its own words.
      const notANumber = [good, { id: 2, vector: [1, Number.NaN] }];
      expect((await failure(db.insert({ collectionName: 'strict', data: notANumber }))).code).toBe('invalid');
      expect(await db.count({ collectionName: 'strict' })).toBe(0);
      expect((await failure(db.search({ collectionName: 'strict', data: [[1, 2, 3]] }))).code).toBe('invalid');
      expect((await failure(db.search({ collectionName: 'strict', data: [[1, 2]], limit: 20_000 }))).milvusCode).toBe(
        1100,
      );
      expect((await failure(db.query({ collectionName: 'strict', filter: 'id ==' }))).milvusCode).toBe(1100);
      expect((await failure(db.delete({ collectionName: 'strict', filter: 'true' }))).milvusCode).toBe(1100);
      expect((await failure(db.search({ collectionName: 'nowhere', data: [[1, 2]] }))).milvusCode).toBe(100);
    });

    test('what is not done yet is refused by name, unless it is empty', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'later', dimension: 2 });
      const search = { collectionName: 'later', data: [[1, 2]] };
      const empty = { partitionNames: [], groupingField: '', searchParams: {} };
      expect(await db.search({ ...search, ...empty })).toEqual([[]]);
      for (const more of [{ partitionNames: ['p'] }, { groupingField: 'color' }, { searchParams: { radius: 0.5 } }]) {
        const error = await failure(db.search({ ...search, ...more }));
        expect(error.code, JSON.stringify(more)).toBe('unsupported');
        expect(error.message).toContain(Object.keys(more)[0] === 'searchParams' ? 'radius' : Object.keys(more)[0]);
      }
    });

    test('a call that was aborted is not waited for', async () => {
      const db = await engine.open();
      await db.createCollection({ collectionName: 'docs', dimension: 2 });
      const controller = new AbortController();
      controller.abort();
      const error = await failure(
        db.insert({ collectionName: 'docs', data: { id: 1, vector: [1, 2] } }, { signal: controller.signal }),
      );
      expect([error.name, error.code, error.details]).toEqual(['AbortError', 'aborted', { outcome: 'not-written' }]);
      expect(await db.count({ collectionName: 'docs' })).toBe(0);
    });
  });
}

/** The error that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<ElanusError> {
  try {
    await call;
  } catch (error) {
    expect(codeOf(error), String((error as Error).stack)).not.toBe('internal');
    return error as ElanusError;
  }
  throw new TypeError('The call was expected to fail and did not.');
}

async function createEveryType(db: Database<'bigint'>): Promise<void> {
  const text = { elementTypeParams: { max_length: 100 } };
  await db.createCollection({
    collectionName: 'types',
    schema: {
      enableDynamicField: true,
      fields: [
        { fieldName: 'k', dataType: 'VarChar', isPrimary: true, ...text },
        { fieldName: 'b', dataType: 'Bool' },
        { fieldName: 'i8', dataType: 'Int8' },
        { fieldName: 'i16', dataType: 'Int16' },
        { fieldName: 'i32', dataType: 'Int32' },
        { fieldName: 'i64', dataType: 'Int64' },
        { fieldName: 'f', dataType: 'Float' },
        { fieldName: 'd', dataType: 'Double' },
        { fieldName: 's', dataType: 'VarChar', nullable: true, ...text },
        { fieldName: 'def', dataType: 'Int32', defaultValue: 42 },
        { fieldName: 'j', dataType: 'JSON' },
        { fieldName: 'ai', dataType: 'Array', elementDataType: 'Int64', elementTypeParams: { max_capacity: 8 } },
        {
          fieldName: 'as',
          dataType: 'Array',
          elementDataType: 'VarChar',
          elementTypeParams: { max_capacity: 8, max_length: 9 },
        },
        { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 4 } },
      ],
    },
    indexParams: [{ fieldName: 'v', metricType: 'COSINE' }],
  });
}

function everyTypeRows(): Row[] {
  return [
    {
      k: 'a',
      b: true,
      i8: -128,
      i16: 32767,
      i32: -2147483648,
      i64: INT64_MAX,
      f: 0.1,
      d: 0.1,
      s: 'héllo ☃ 𝄞',
      def: 7,
      j: { deep: [1, { x: null }], big: 9007199254740993n },
      ai: [INT64_MIN, 5n],
      as: ['x', ''],
      v: [0.1, 0.2, -3, 4],
      extra: 'dyn',
    },
    {
      k: 'b',
      b: false,
      i8: 0,
      i16: 0,
      i32: 0,
      i64: 0n,
      f: -1.5,
      d: 1e300,
      s: null,
      j: [],
      ai: [],
      as: [],
      v: [0, 0, 0, 0],
      more: { of: ['this'] },
    },
  ];
}

/** Defaults filled in. */
function expected(row: Row): Row {
  return { def: 42, ...row };
}

/** Comparable: typed arrays and Int64 of any size as text. */
function plain(row: Row): unknown {
  const entries = Object.entries(row).map(([key, value]) => {
    if (value instanceof Float32Array || key === 'v') return [key, Array.from(value as number[], Math.fround)];
    return [key, value];
  });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

type Metric = 'L2' | 'IP' | 'COSINE';

function nearest(query: number[], vectors: readonly number[][], metric: Metric): [number, number][] {
  const distances = vectors.map((vector, id): [number, number] => [id, distance(query, vector, metric)]);
  return distances.sort(([idA, a], [idB, b]) => (metric === 'L2' ? a - b : b - a) || idA - idB);
}

function distance(a: readonly number[], b: readonly number[], metric: Metric): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  if (metric === 'IP') return dot(a, b);
  if (metric === 'COSINE') return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0);
}
