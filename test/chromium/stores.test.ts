import { deleteDB, openDB } from 'idb';
import { afterAll, describe, expect, test } from 'vitest';
import { IndexedDbStore } from '../../browser/storage/indexed-db-store.ts';
import { OpfsCacheStore } from '../../browser/storage/opfs-cache.ts';
import { encodeUtf8 } from '../../core/base/bytes.ts';
import { ElanusError } from '../../core/base/error.ts';
import { MemoryStore } from '../../core/storage/memory-store.ts';
import { MeteredStore } from '../../core/storage/metered-store.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { objectStoreSuite, someBytes } from '../conformance/object-store.ts';
import { FullStore } from '../fakes/full-store.ts';

let names = 0;
const fresh = () => `stores-test-${names++}`;

objectStoreSuite('IndexedDB', async () => {
  const store = await IndexedDbStore.open(fresh());
  const close = async () => {
    store.close();
    await IndexedDbStore.destroy(store.name);
  };
  return { store, close };
});

objectStoreSuite('OPFS cache of every key over memory', async () => {
  const store = await OpfsCacheStore.open(new MemoryStore(), fresh(), { cached: () => true });
  expect(store.isCaching).toBe(true);
  return { store, close: () => store.destroy() };
});

objectStoreSuite('OPFS cache of a few objects over IndexedDB', async () => {
  const backing = await IndexedDbStore.open(fresh());
  const store = await OpfsCacheStore.open(backing, backing.name, { cached: () => true, bytesMax: 100_000 });
  const close = async () => {
    await store.destroy();
    backing.close();
    await IndexedDbStore.destroy(backing.name);
  };
  return { store, close };
});

describe('IndexedDB', () => {
  test('what was written is there after closing and opening again; a closed store says so', async () => {
    const name = fresh();
    const bytes = someBytes(3_000_000, 1);
    const before = await IndexedDbStore.open(name);
    const version = await before.create('a/b', bytes);
    before.close();
    const closed = expect.objectContaining({ code: 'closed' });
    await expect(before.read('a/b')).rejects.toEqual(closed);
    await expect(before.create('c', bytes)).rejects.toEqual(closed);
    await expect(Array.fromAsync(before.list(''))).rejects.toEqual(closed);
    const after = await IndexedDbStore.open(name);
    expect((await after.read('a/b'))?.bytes.every((byte, index) => byte === bytes[index])).toBe(true);
    expect(await Array.fromAsync(after.list(''))).toEqual([{ key: 'a/b', size: 3_000_000, version }]);
    after.close();
    await IndexedDbStore.destroy(name);
  });

  test('two connections see one store: exactly one of their creators and replacers wins', async () => {
    const name = fresh();
    const stores = [await IndexedDbStore.open(name), await IndexedDbStore.open(name)];
    const racing = (write: (store: ObjectStore, index: number) => Promise<unknown>) =>
      Promise.allSettled(Array.from({ length: 8 }, (_, index) => write(stores[index % 2]!, index)));
    const created = await racing((store, index) => store.create('a', encodeUtf8(`creator ${index}`)));
    expect(created.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    const { version } = (await stores[0]!.read('a'))!;
    const replaced = await racing((store, index) => store.replace('a', encodeUtf8(`replacer ${index}`), version));
    const winner = replaced.findIndex((outcome) => outcome.status === 'fulfilled');
    expect(replaced.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const store of stores) {
      expect((await store.read('a'))?.bytes).toEqual(encodeUtf8(`replacer ${winner}`));
      store.close();
    }
    await IndexedDbStore.destroy(name);
  });

  test('destroying closes other connections, and leaves nothing', async () => {
    const name = fresh();
    const other = await IndexedDbStore.open(name);
    await other.create('a', encodeUtf8('x'));
    await IndexedDbStore.destroy(name);
    await expect(other.read('a')).rejects.toEqual(expect.objectContaining({ code: 'closed' }));
    const again = await IndexedDbStore.open(name);
    expect(await again.read('a')).toBeUndefined();
    again.close();
    await IndexedDbStore.destroy(name);
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
  });

  test('a connection that does not let go makes destroying reject with "locked"', async () => {
    const name = fresh();
    (await IndexedDbStore.open(name)).close();
    const stubborn = await openDB(name, 1);
    await expect(IndexedDbStore.destroy(name)).rejects.toEqual(expect.objectContaining({ code: 'locked' }));
    stubborn.close();
    await deleteDB(name);
  });

  test('a database of a newer version is refused, a missing page is corruption', async () => {
    const newer = fresh();
    (await openDB(newer, 7)).close();
    await expect(IndexedDbStore.open(newer)).rejects.toEqual(expect.objectContaining({ code: 'unsupported' }));
    await deleteDB(newer);
    const name = fresh();
    const store = await IndexedDbStore.open(name);
    await store.create('a/b', someBytes(3 << 20, 2));
    const raw = await openDB(name, 1);
    await raw.delete('pages', [encodeUtf8('a/b'), 2]);
    raw.close();
    expect((await store.read('a/b', { start: 0, end: 2 << 20 }))?.bytes.byteLength).toBe(2 << 20);
    const corrupt = expect.objectContaining({ code: 'corrupt', details: { key: 'a/b' } });
    await expect(store.read('a/b')).rejects.toEqual(corrupt);
    store.close();
    await IndexedDbStore.destroy(name);
  });

  test('a replaced or deleted object leaves no pages behind', async () => {
    const name = fresh();
    const store = await IndexedDbStore.open(name);
    const version = await store.create('a', someBytes(3 << 20, 3));
    await store.create('ab', someBytes(2 << 20, 4));
    await store.replace('a', encodeUtf8('small'), version);
    const raw = await openDB(name, 1);
    expect(await raw.count('pages')).toBe(3);
    await store.delete(['ab', 'absent']);
    expect(await raw.count('pages')).toBe(1);
    await store.delete(['a']);
    expect([await raw.count('pages'), await raw.count('objects')]).toEqual([0, 0]);
    raw.close();
    store.close();
    await IndexedDbStore.destroy(name);
  });
});

describe('OPFS cache', () => {
  const caches: string[] = [];
  afterAll(() => Promise.all(caches.map((name) => OpfsCacheStore.destroy(name))));
  const key = 'collections/1/segments/7/columns.0';
  const bytes = someBytes(300_000, 9);

  async function setUp(options: { bytesMax?: number } = {}) {
    const name = fresh();
    caches.push(name);
    const backing = new MeteredStore(new MemoryStore());
    const cache = await OpfsCacheStore.open(backing, name, options);
    await cache.create(key, bytes);
    await cache.read(key, { start: 5, end: 10 });
    await cache.settled();
    backing.reset();
    return { name, backing, cache };
  }

  async function directoryOf(name: string): Promise<FileSystemDirectoryHandle> {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', encodeUtf8(name)));
    const directoryName = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('elanus-cache');
    return root.getDirectoryHandle(directoryName);
  }

  async function files(name: string): Promise<FileSystemFileHandle[]> {
    const directory = await directoryOf(name);
    const found: FileSystemFileHandle[] = [];
    for await (const handle of directory.values()) if (handle.kind === 'file') found.push(handle as never);
    return found;
  }

  test('after the first read the backing store is asked no more, not even after opening again', async () => {
    const { name, backing, cache } = await setUp();
    expect((await cache.read(key))?.bytes).toEqual(bytes);
    expect((await cache.read(key, { start: 65_530, end: 131_100 }))?.bytes).toEqual(bytes.slice(65_530, 131_100));
    const again = await OpfsCacheStore.open(backing, name);
    expect(again.bytes()).toBe(cache.bytes());
    expect((await again.read(key, { start: 299_999 }))?.bytes).toEqual(bytes.slice(299_999));
    expect(backing.counts().reads).toBe(0);
    await cache.create('collections/1/meta/1', bytes);
    await cache.read('collections/1/meta/1');
    await cache.settled();
    expect(await files(name)).toHaveLength(1);
  });

  test.each([
    ['a flipped bit in the bytes', (file: Uint8Array) => (file[file.byteLength - 5]! ^= 16)],
    ['a flipped bit in the header', (file: Uint8Array) => (file[40]! ^= 1)],
    ['a wrong length of the header', (file: Uint8Array) => (file[2]! ^= 0x80)],
    ['a file cut off', (file: Uint8Array) => file.subarray(0, file.byteLength - 1)],
    ['an empty file', (file: Uint8Array) => file.subarray(0, 0)],
    ['a file of something else', () => encodeUtf8('not a cache file')],
  ])('%s: the right bytes still come, and the file is written again', async (_what, damage) => {
    for (const isOpenAgain of [false, true]) {
      const { name, backing, cache: first } = await setUp();
      expect((await first.read(key))?.bytes).toEqual(bytes);
      const [handle] = await files(name);
      const content = new Uint8Array(await (await handle!.getFile()).arrayBuffer());
      const damaged = damage(content);
      const writable = await handle!.createWritable();
      await writable.write(typeof damaged === 'number' ? content : (damaged as Uint8Array<ArrayBuffer>));
      await writable.close();
      const cache = isOpenAgain ? await OpfsCacheStore.open(backing, name) : first;
      expect((await cache.read(key))?.bytes).toEqual(bytes);
      expect(backing.counts().reads).toBeGreaterThan(0);
      await cache.settled();
      backing.reset();
      expect((await cache.read(key))?.bytes).toEqual(bytes);
      expect(backing.counts().reads).toBe(0);
    }
  });

  test('a deleted file and a deleted directory cost a read and are made again', async () => {
    const { name, backing, cache } = await setUp();
    for (const remove of [
      async () => (await directoryOf(name)).removeEntry((await files(name))[0]!.name),
      async () => (await navigator.storage.getDirectory()).removeEntry('elanus-cache', { recursive: true }),
    ]) {
      await remove();
      expect((await cache.read(key))?.bytes).toEqual(bytes);
      await cache.settled();
      backing.reset();
      expect((await cache.read(key))?.bytes).toEqual(bytes);
      expect(backing.counts().reads).toBe(0);
      expect(await files(name)).toHaveLength(1);
    }
  });

  test('a file goes with its object', async () => {
    const { name, cache } = await setUp();
    await cache.delete([key]);
    expect(await cache.read(key)).toBeUndefined();
    await cache.settled();
    expect(await files(name)).toHaveLength(0);
    expect(cache.bytes()).toBe(0);
  });

  test('files stay within the budget: those used longest ago make room', async () => {
    const { name, backing, cache } = await setUp({ bytesMax: 1_000_000 });
    const keys = [1, 2, 3, 4].map((index) => `x/segments/${index}/columns.0`);
    for (const other of keys) {
      await cache.create(other, someBytes(300_000, 100));
      await cache.read(other);
      await cache.settled();
      await cache.read(key);
    }
    expect(await files(name)).toHaveLength(3);
    let bytesOfFiles = 0;
    for (const handle of await files(name)) bytesOfFiles += (await handle.getFile()).size;
    expect(cache.bytes()).toBe(bytesOfFiles);
    expect(bytesOfFiles).toBeLessThanOrEqual(1_000_000);
    backing.reset();
    await cache.read(key);
    await cache.read(keys[3]!);
    expect(backing.counts().reads).toBe(0);
    await cache.read(keys[0]!);
    expect(backing.counts().reads).toBeGreaterThan(0);
    await cache.settled();
    const smaller = await OpfsCacheStore.open(backing, name, { bytesMax: 400_000 });
    expect(await files(name)).toHaveLength(1);
    expect(smaller.bytes()).toBeLessThanOrEqual(400_000);
  });

  test('gives way when the origin is full: its files go, and the write is tried again', async () => {
    const name = fresh();
    caches.push(name);
    const backing = new FullStore(new MemoryStore());
    const cache = await OpfsCacheStore.open(backing, name);
    await cache.create(key, bytes);
    await cache.read(key);
    await cache.settled();
    expect(await files(name)).toHaveLength(1);
    // The files take the room that the write needs: it is there as soon as they are gone.
    const isRoomy = async (): Promise<boolean> => (await files(name)).length === 0;
    const create = backing.create.bind(backing);
    backing.create = async (other, content) => {
      backing.bytesMax = (await isRoomy()) ? Number.POSITIVE_INFINITY : 0;
      return create(other, content);
    };
    await Promise.all([cache.create('catalog', bytes), cache.create('tso', bytes)]);
    expect(cache.bytes()).toBe(0);
    expect(backing.refusals).toBeGreaterThan(0);
    expect((await cache.read(key))?.bytes).toEqual(bytes);
    await cache.settled();
    expect(await files(name)).toHaveLength(0);
    backing.create = () => Promise.reject(new ElanusError('quota', 'full'));
    await expect(cache.create('more', bytes)).rejects.toEqual(expect.objectContaining({ code: 'quota' }));
  });

  test('reads do not fail because caching fails', async () => {
    const original = FileSystemFileHandle.prototype.createWritable;
    FileSystemFileHandle.prototype.createWritable = () =>
      Promise.reject(new DOMException('full', 'QuotaExceededError'));
    try {
      const { cache } = await setUp();
      for (let round = 0; round < 5; round++) {
        expect((await cache.read(key))?.bytes).toEqual(bytes);
        await cache.settled();
      }
      expect(cache.isCaching).toBe(false);
      expect(cache.bytes()).toBe(0);
    } finally {
      FileSystemFileHandle.prototype.createWritable = original;
    }
  });
});
