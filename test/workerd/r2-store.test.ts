import { env, reset } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { MeteredStore } from '../../core/storage/metered-store.ts';
import type { Version } from '../../core/storage/object-store.ts';
import { PrefixStore } from '../../core/storage/prefix-store.ts';
import { R2Store } from '../../worker/storage/r2-store.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';

const bucket = (env as unknown as { OBJECTS: R2Bucket }).OBJECTS;

objectStoreSuite('R2', async () => ({ store: new R2Store(bucket), close: reset }));

objectStoreSuite('prefix and metered over R2', async () => ({
  store: new MeteredStore(new PrefixStore(new R2Store(bucket), 'database/')),
  keyBytesMax: 502,
  close: reset,
}));

test('the version is the MD5 of the bytes', async () => {
  const version = await new R2Store(bucket).create('md5', new TextEncoder().encode('123456789'));
  expect(version).toBe('25f9e794323b453885f5181f1b624d0b');
});

/** A bucket whose every call fails as R2 or the way to it may fail. */
function failing(error: unknown): R2Store {
  const fail = () => Promise.reject(error);
  return new R2Store({ put: fail, get: fail, list: fail, delete: fail } as unknown as R2Bucket);
}

test.each([
  ['put: We encountered an internal error. Please try again. (10001)', 'unavailable'],
  ['Network connection lost.', 'unavailable'],
  ['put: Unspecified error (0)', 'unavailable'],
  ['put: The Content-MD5 you specified did not match what we received. (10037)', 'unavailable'],
  ['put: Reduce your rate of concurrent requests for the same object. (10058)', 'overloaded'],
  ['put: Please reduce your request rate (429)', 'overloaded'],
  ['put: Access denied (10003)', 'forbidden'],
])('"%s" becomes %s', async (message, code) => {
  const store = failing(new Error(message));
  const rejects = expect.objectContaining({ code, cause: expect.objectContaining({ message }) });
  const bytes = new Uint8Array([1]);
  await expect(store.create('a', bytes)).rejects.toEqual(rejects);
  await expect(store.replace('a', bytes, '0'.repeat(32) as Version)).rejects.toEqual(rejects);
  await expect(store.read('a')).rejects.toEqual(rejects);
  await expect(store.delete(['a'])).rejects.toEqual(rejects);
  await expect(Array.fromAsync(store.list('a'))).rejects.toEqual(rejects);
});

test('a body that ends early is not taken for the object', async () => {
  const body = { size: 10, etag: '0'.repeat(32), arrayBuffer: async () => new ArrayBuffer(9) };
  const store = new R2Store({ get: async () => body } as unknown as R2Bucket);
  await expect(store.read('a')).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }));
});
