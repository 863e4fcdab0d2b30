import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { findCollection, withCollection, withoutCollection } from '../../../core/catalog/catalog.ts';
import { CatalogStore } from '../../../core/catalog/catalog-store.ts';
import type { CollectionMeta } from '../../../core/model/schema.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';

const clock = { now: () => 0, sleep: () => Promise.resolve() };

test('edits of two stores over one object are all kept, and those that wait share one write', async () => {
  const objects = new MemoryStore();
  const a = new CatalogStore(objects, { clock, random: seededRandom(1) });
  const b = new CatalogStore(objects, { clock, random: seededRandom(2) });
  const add = (store: CatalogStore, name: string, id: number): Promise<unknown> =>
    store.update((catalog) => withCollection(catalog, 'default', name, { id, version: 1, loaded: true }));
  await Promise.all(Array.from({ length: 40 }, (_, id) => add(id % 2 === 0 ? a : b, `c${id}`, id)));
  const catalog = await a.read();
  expect(Object.keys(catalog.databases['default'] ?? {}).length).toBe(40);
  expect(catalog.revision).toBeLessThan(12);
});

test('an edit that throws changes nothing and fails alone', async () => {
  const store = new CatalogStore(new MemoryStore(), { clock, random: seededRandom(1) });
  const outcomes = await Promise.allSettled([
    store.update((catalog) => withCollection(catalog, 'default', 'good', { id: 1, version: 1, loaded: true })),
    store.update((catalog) => withCollection(catalog, 'nowhere', 'bad', { id: 2, version: 1, loaded: true })),
    store.update((catalog) => withCollection(catalog, 'default', 'also', { id: 3, version: 1, loaded: true })),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]?.status === 'rejected' && codeOf(outcomes[1].reason)).toBe('not-found');
  const catalog = await store.read();
  expect(findCollection(catalog, 'default', 'good')?.id).toBe(1);
  expect(findCollection(catalog, 'default', 'also')?.id).toBe(3);
  expect(findCollection(catalog, 'default', '__proto__')).toBeUndefined();
});

test('a dropped collection leaves its name and stays to be deleted', async () => {
  const store = new CatalogStore(new MemoryStore(), { clock, random: seededRandom(1) });
  await store.update((catalog) => withCollection(catalog, 'default', 'a', { id: 7, version: 1, loaded: true }));
  const dropped = { id: 7, version: 1, channels: ['7-0'], droppedAt: 5 };
  const catalog = await store.update((current) =>
    withoutCollection(current, { database: 'default', name: 'a' }, dropped),
  );
  expect(findCollection(catalog, 'default', 'a')).toBeUndefined();
  expect(catalog.dropped).toEqual([dropped]);
});

test('a meta object keeps an Int64 default exactly, and is written once', async () => {
  const store = new CatalogStore(new MemoryStore(), { clock, random: seededRandom(1) });
  const field = { name: 'n', description: '', isPrimary: false, autoId: false, nullable: false } as const;
  const meta: CollectionMeta = {
    id: 3,
    version: 1,
    databaseName: 'default',
    collectionName: 'a',
    description: '',
    schema: { enableDynamicField: false, fields: [{ ...field, id: 100, type: 'Int64', defaultValue: 2n ** 63n - 1n }] },
    indexes: [],
    consistencyLevel: 'Bounded',
    shardsNum: 1,
    properties: {},
  };
  await store.createMeta(meta);
  expect(await store.readMeta(3, 1)).toEqual(meta);
  expect(await store.readMeta(3, 2)).toBeUndefined();
  await expect(store.createMeta({ ...meta, description: 'other' })).rejects.toMatchObject({ code: 'conflict' });
});
