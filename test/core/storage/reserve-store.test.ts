import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import { writePurpose } from '../../../core/node/write-purpose.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { type Purpose, ReserveStore } from '../../../core/storage/reserve-store.ts';
import { encodeData, encodeFence } from '../../../core/wal/frame.ts';
import { objectStoreSuite } from '../../conformance/object-store.ts';
import { FullStore } from '../../fakes/full-store.ts';

objectStoreSuite('reserve, every write rows', async () => ({
  store: new ReserveStore(new MemoryStore(), { purposeOf: () => 'rows' }),
}));

objectStoreSuite('reserve, every write bookkeeping', async () => ({
  store: new ReserveStore(new MemoryStore(), { purposeOf: () => 'bookkeeping' }),
}));

const purposeOf = (key: string): Purpose => (key.startsWith('rows') ? 'rows' : 'bookkeeping');
const full = expect.objectContaining({ code: 'quota' });

function setUp(bytesMax: number): { readonly below: FullStore; readonly store: ReserveStore } {
  const below = new FullStore(new MemoryStore(), bytesMax);
  return { below, store: new ReserveStore(below, { purposeOf, bytes: 100 }) };
}

describe('a full store with a reserve', () => {
  test('has room for bookkeeping when rows are refused, and refuses rows until space is freed', async () => {
    const { below, store } = setUp(1_000);
    for (let row = 0; row < 90; row++) await store.create(`rows/${row}`, new Uint8Array(10));
    expect(below.bytes).toBe(1_000);
    await expect(store.create('rows/90', new Uint8Array(1))).rejects.toEqual(full);
    const version = await store.create('catalog', new Uint8Array(50));
    await expect(store.create('rows/90', new Uint8Array(1))).rejects.toEqual(full);
    await store.replace('catalog', new Uint8Array(49).fill(1), version);
    await expect(store.create('more', new Uint8Array(60))).rejects.toEqual(full);
    await store.delete(Array.from({ length: 10 }, (_, row) => `rows/${row}`));
    await store.create('rows/90', new Uint8Array(1));
    expect(below.bytes).toBe(800 + 50 - 1 + 100 + 1);
  });

  test('keeps its reserve over openings, writes it once, and shows it to nobody', async () => {
    const { below, store } = setUp(1_000);
    await Promise.all([store.create('rows/1', new Uint8Array(1)), store.create('rows/2', new Uint8Array(1))]);
    const again = new ReserveStore(below, { purposeOf, bytes: 100 });
    await again.create('rows/3', new Uint8Array(1));
    expect(below.bytes).toBe(103);
    expect((await Array.fromAsync(again.list(''))).map(({ key }) => key)).toEqual(['rows/1', 'rows/2', 'rows/3']);
  });

  test('is kept as bytes that nothing can compress', async () => {
    const { below, store } = setUp(1_000_000);
    await new ReserveStore(below, { purposeOf, bytes: 100_001 }).create('rows/1', new Uint8Array(1));
    const reserve = await below.read('reserve');
    expect(reserve?.size).toBe(100_001);
    expect(gzipSync(reserve?.bytes ?? new Uint8Array()).byteLength).toBeGreaterThan(100_000);
    expect(await Array.fromAsync(store.list('reserve'))).toEqual([]);
  });

  test('a conflict is a conflict, and costs no reserve', async () => {
    const { below, store } = setUp(1_000);
    await store.create('rows/1', new Uint8Array(1));
    await store.create('catalog', new Uint8Array(1));
    expect(await store.create('catalog', new Uint8Array(1)).catch(codeOf)).toBe('conflict');
    expect(below.bytes).toBe(102);
  });
});

test('rows are frames of data and objects of segments; the rest is bookkeeping', () => {
  const random = (): number => 7;
  const slot = { term: 3, index: 9 };
  const key = 'wal/1-0/00000000000003/00000000000009';
  const data = encodeData(slot, new Uint8Array(1), random);
  const fence = encodeFence(slot, 4, random);
  expect([writePurpose(key, data), writePurpose(key, fence)]).toEqual(['rows', 'bookkeeping']);
  const purposes = [
    'catalog',
    'tso',
    'collections/1/meta/1',
    'collections/1/keys',
    'collections/1/channels/1-0/manifest',
    'wal/1-0/root',
    'collections/1/partitions/2/segments/5/columns.0',
    'collections/1/partitions/2/segments/5/delta.7',
  ].map((name) => writePurpose(name, new Uint8Array(5_000)));
  expect(purposes).toEqual([...Array.from({ length: 6 }, () => 'bookkeeping'), 'rows', 'rows']);
});
