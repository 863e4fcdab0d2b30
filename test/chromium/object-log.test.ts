import { expect, test } from 'vitest';
import { IndexedDbStore } from '../../browser/storage/indexed-db-store.ts';
import type { Random } from '../../core/base/random.ts';
import { POSITION_START } from '../../core/wal/log.ts';
import { objectLogStore } from '../../core/wal/object-log.ts';
import { logSuite } from '../conformance/log.ts';

const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
const random: Random = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

logSuite('objects in IndexedDB', async () => {
  const store = await IndexedDbStore.open('object-log-test');
  const close = async () => {
    store.close();
    await IndexedDbStore.destroy(store.name);
  };
  return { store: objectLogStore(store, { clock, random }), close };
});

test('two pages on one database: the later term owns the log', async () => {
  const name = 'object-log-test-two';
  const stores = [await IndexedDbStore.open(name), await IndexedDbStore.open(name)];
  const [one, other] = stores.map((store) => objectLogStore(store, { clock, random }));
  const old = await one!.open('c', 1);
  await old.append(new Uint8Array([1]));
  const young = await other!.open('c', 2);
  await expect(old.append(new Uint8Array([2]))).rejects.toEqual(expect.objectContaining({ code: 'fenced' }));
  await young.append(new Uint8Array([3]));
  const entries = await Array.fromAsync(one!.reader('c').read(POSITION_START));
  expect(entries.map(({ bytes }) => bytes[0])).toEqual([1, 3]);
  for (const store of stores) store.close();
  await IndexedDbStore.destroy(name);
});
