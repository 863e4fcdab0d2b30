import { afterEach, describe, expect, test } from 'vitest';
import type { BrowserDatabase, LinkChoice, OpenOptions } from '../../browser/index.ts';
import type { Database } from '../../core/client/database.ts';
import { engineSuite, failure } from '../conformance/engine.ts';
import { freshName, openSource } from './engine.ts';

// Two openers in one page are two tabs to the engine: each has its tab worker, and one of them leads.

const LINKS: readonly Exclude<LinkChoice, 'auto'>[] = ['ports', 'broadcast'];
const opened: Database<'number' | 'bigint' | 'string'>[] = [];
const place = { collectionName: 'docs' };

async function openTab(name: string, options: Omit<OpenOptions, 'name'> = {}): Promise<BrowserDatabase> {
  const db = await openSource<'number'>(name, options);
  opened.push(db as unknown as Database<'number'>);
  return db;
}

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

for (const link of LINKS) {
  engineSuite(`a tab that follows by ${link}`, async () => {
    const both: Database<'number' | 'bigint' | 'string'>[] = [];
    return {
      open: async (options) => {
        const name = freshName();
        const leader = await openSource(name);
        both.push(leader as unknown as Database<'number'>);
        const db = await openSource(name, { link, ...options });
        expect((await db.info())['tab']).toMatchObject({ leads: false, link });
        both.unshift(db as unknown as Database<'number'>);
        return db;
      },
      dispose: async () => {
        for (const [at, db] of both.entries()) await (at === both.length - 1 ? db.destroy() : db.close());
      },
    };
  });
}

describe.each(['auto', ...LINKS] as const)('several tabs with one database, by %s', (link) => {
  test('see the same data at once, and say who leads', async () => {
    const name = freshName();
    const first = await openTab(name);
    const second = await openTab(name, { link });
    const { tab: leads } = await first.info();
    const { tab: follows } = await second.info();
    expect(leads).toMatchObject({ leads: true, link: 'own', leader: leads?.id });
    expect(follows).toMatchObject({ leads: false, link: link === 'auto' ? 'ports' : link, leader: leads?.id });
    expect(follows?.id).not.toBe(leads?.id);
    await first.createCollection({ ...place, dimension: 2 });
    await second.insert({ ...place, data: [{ id: 1, vector: [1, 0] }] });
    expect(await first.get({ ...place, id: 1, outputFields: ['id'] })).toEqual([{ id: 1 }]);
    await first.upsert({ ...place, data: [{ id: 2, vector: [0, 1] }] });
    const [hits] = await second.search({ ...place, data: [[0, 1]], limit: 1 });
    expect(hits).toEqual([{ id: 2, distance: 1 }]);
    await first.destroy();
  });

  test('the other goes on when the leader closes, with writes and reads under way', async () => {
    const name = freshName();
    const first = await openTab(name);
    const second = await openTab(name, { link });
    await first.createCollection({ ...place, dimension: 2, autoID: true, idType: 'Int64' });
    const writes = Array.from({ length: 40 }, (_, n) => second.insert({ ...place, data: [{ vector: [1, n], n }] }));
    const reads = Array.from({ length: 10 }, () => second.count(place));
    await writes[3];
    await first.close();
    const keys = (await Promise.all(writes)).flatMap(({ insertIds }) => insertIds);
    await Promise.all(reads);
    expect(new Set(keys).size).toBe(40);
    const rows = await second.query({ ...place, limit: 1_000, outputFields: ['n'] });
    expect(rows.map((row) => row['n']).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 40 }, (_, n) => n),
    );
    expect(rows.map((row) => row['Auto_id'] ?? row['id']).toSorted()).toEqual(keys.toSorted());
    expect((await second.info())['tab']).toMatchObject({ leads: true, link: 'own' });
    await second.destroy();
  });

  test('a database that one tab deletes is closed in the others, and empty when it is opened again', async () => {
    const name = freshName();
    const tabs = [await openTab(name), await openTab(name, { link }), await openTab(name, { link })];
    await tabs[0]?.createCollection({ ...place, dimension: 2 });
    await tabs[1]?.destroy();
    for (const at of [0, 2]) {
      const error = await failure(tabs[at]?.listCollections() as Promise<unknown>);
      expect(error).toMatchObject({ code: 'closed', message: expect.stringMatching(/deleted/) as unknown });
    }
    const again = await openTab(name);
    expect(await again.listCollections()).toEqual([]);
    await again.destroy();
  });

  test('a follower that closes leaves the others alone', async () => {
    const name = freshName();
    const first = await openTab(name);
    const second = await openTab(name, { link });
    await first.createCollection({ ...place, dimension: 2 });
    await second.close();
    expect(await first.listCollections()).toEqual(['docs']);
    const third = await openTab(name, { link });
    expect(await third.listCollections()).toEqual(['docs']);
    await first.destroy();
  });
});

test("databases in memory are each opener's own", async () => {
  const name = freshName();
  const first = await openTab(name, { storage: 'memory' });
  const second = await openTab(name, { storage: 'memory' });
  await first.createCollection({ ...place, dimension: 2 });
  expect(await second.listCollections()).toEqual([]);
  expect((await first.info())['tab']).toMatchObject({ leads: true, link: 'own' });
  expect((await second.info())['tab']).toMatchObject({ leads: true, link: 'own' });
});

test('a tab of another version is told to reload', async () => {
  const name = freshName();
  const channel = new BroadcastChannel(`elanus:${name}`);
  let release: () => void = () => undefined;
  void navigator.locks.request(`elanus:${name}:tab:other`, () =>
    navigator.locks.request(`elanus:${name}`, () => new Promise<void>((resolve) => (release = resolve))),
  );
  channel.addEventListener('message', (event) => {
    if (event.data.type !== 'who') return;
    const leader = { tab: 'other', engine: 'x', broker: undefined, protocol: 99, version: '9.9.9' };
    channel.postMessage({ type: 'leader', leader });
  });
  const error = await failure(openTab(name));
  expect(error).toMatchObject({ code: 'locked', message: expect.stringMatching(/9\.9\.9.*reload/) as unknown });
  release();
  channel.close();
});

test('a leader that cannot be asked, as one of an older build, is left its lead', async () => {
  const name = freshName();
  let release: () => void = () => undefined;
  const held = navigator.locks.request(`elanus:${name}`, () => new Promise<void>((resolve) => (release = resolve)));
  expect(await failure(openTab(name))).toMatchObject({ code: 'locked' });
  release();
  await held;
  expect(await (await openTab(name)).listCollections()).toEqual([]);
});

test('a leader that is silent is deposed, even if the tab that was about to do so has stopped as well', async () => {
  const name = freshName();
  const hold = (lock: string): Promise<string> =>
    navigator.locks
      .request(`elanus:${name}${lock}`, () => new Promise<string>(() => undefined))
      .catch((error: unknown) => (error as Error).name);
  const [, lead] = [':tab:ghost', '', ':steal'].map(hold);
  const db = await openTab(name);
  expect(await lead).toBe('AbortError');
  expect((await db.info())['tab']).toMatchObject({ leads: true });
});
