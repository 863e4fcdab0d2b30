import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Database } from '../../../core/client/database.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

/** What a row holds besides its key; the vector follows from `x` and `y`. */
interface Content {
  readonly x: number;
  readonly y: number;
  readonly tag: string | null;
}

type Step =
  | {
      readonly do: 'write';
      readonly how: 'insert' | 'upsert';
      readonly rows: readonly (Content & { readonly id: number })[];
    }
  | { readonly do: 'delete'; readonly ids: readonly number[] }
  | { readonly do: 'delete-tag'; readonly tag: string }
  | { readonly do: 'flush' }
  | { readonly do: 'reopen' }
  | { readonly do: 'work' }
  | {
      readonly do: 'search';
      readonly x: number;
      readonly y: number;
      readonly limit: number;
      readonly tag: string | null;
    };

const coordinate = fc.integer({ min: -50, max: 50 });
const tag = fc.constantFrom('a', 'b', 'c');
const id = fc.integer({ min: 0, max: 15 });
const row = fc.record({ id, x: coordinate, y: coordinate, tag: fc.option(tag) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      how: fc.constant('insert' as const),
      rows: fc.array(row, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      how: fc.constant('upsert' as const),
      rows: fc.uniqueArray(row, { minLength: 1, maxLength: 8, selector: (each) => each.id }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-tag' as const), tag }) },
  { weight: 5, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'work' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      x: coordinate,
      y: coordinate,
      limit: fc.integer({ min: 1, max: 12 }),
      tag: fc.option(tag),
    }),
  },
);

/** The engine beside a map: after every step both hold the same. */
class Pair {
  readonly #objects = new MemoryStore();
  readonly #model = new Map<number, Content>();
  #running: TestCluster | undefined;
  #db: Database | undefined;

  async open(): Promise<Database> {
    await this.#running?.cluster.close();
    this.#running = await testCluster({ objects: this.#objects, memoryBytes: 48 * 1024 * 1024 });
    this.#db = databaseOn(this.#running);
    return this.#db;
  }

  async close(): Promise<void> {
    await this.#running?.cluster.close();
    expect(this.#running?.platform.residency.kernel.bytes).toBe(0);
  }

  async step(step: Step): Promise<void> {
    const db = this.#db as Database;
    const place = { collectionName: 'm' };
    switch (step.do) {
      case 'write': {
        const data = step.rows.map(({ id, x, y, tag }) => ({ id, x, y, tag, v: [x, y, 1] }));
        await db[step.how]({ ...place, data });
        for (const { id, ...content } of step.rows) this.#model.set(id, content);
        return;
      }
      case 'delete':
        await db.delete({ ...place, ids: step.ids });
        for (const id of step.ids) this.#model.delete(id);
        return;
      case 'delete-tag': {
        const doomed = [...this.#model].filter(([, content]) => content.tag === step.tag).map(([id]) => id);
        const { deleteCount } = await db.delete({ ...place, filter: `tag == "${step.tag}"` });
        expect(deleteCount).toBe(doomed.length);
        for (const id of doomed) this.#model.delete(id);
        return;
      }
      case 'flush':
        return db.flush(place);
      case 'reopen':
        await this.open();
        return;
      case 'work':
        return this.#running?.cluster.work();
      case 'search':
        return this.#search(step);
    }
  }

  async check(): Promise<void> {
    const db = this.#db as Database;
    const rows = await db.query({ collectionName: 'm', filter: 'id >= 0', limit: 1000, outputFields: ['*'] });
    const expected = [...this.#model]
      .sort(([a], [b]) => a - b)
      .map(([id, { x, y, tag }]) => ({ id, x, y, tag, v: new Float32Array([x, y, 1]) }));
    expect(rows).toEqual(expected);
    expect(await db.count({ collectionName: 'm' })).toBe(this.#model.size);
  }

  async #search(step: Extract<Step, { do: 'search' }>): Promise<void> {
    const filter = step.tag === null ? '' : `tag == "${step.tag}"`;
    const [hits] = await (this.#db as Database).search({
      collectionName: 'm',
      data: [[step.x, step.y, 1]],
      limit: step.limit,
      filter,
    });
    const distances = [...this.#model.values()]
      .filter((content) => step.tag === null || content.tag === step.tag)
      .map(({ x, y }) => (x - step.x) ** 2 + (y - step.y) ** 2)
      .sort((a, b) => a - b);
    expect(hits?.map((hit) => hit.distance)).toEqual(distances.slice(0, step.limit));
    for (const hit of hits ?? []) {
      const content = this.#model.get(Number(hit['id'])) as Content;
      expect((content.x - step.x) ** 2 + (content.y - step.y) ** 2).toBe(hit.distance);
    }
  }
}

test('any history of writes, deletes, flushes, reopenings and searches agrees with a map', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 40 }), async (steps) => {
      const pair = new Pair();
      const db = await pair.open();
      await db.createCollection({
        collectionName: 'm',
        schema: {
          fields: [
            { fieldName: 'id', dataType: 'Int64', isPrimary: true },
            { fieldName: 'x', dataType: 'Int32' },
            { fieldName: 'y', dataType: 'Int32' },
            { fieldName: 'tag', dataType: 'VarChar', nullable: true, elementTypeParams: { max_length: 10 } },
            { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 3 } },
          ],
        },
        indexParams: [{ fieldName: 'v', metricType: 'L2' }],
      });
      try {
        for (const each of steps) {
          await pair.step(each);
          await pair.check();
        }
      } finally {
        await pair.close();
      }
    }),
    { numRuns: 200 },
  );
});
