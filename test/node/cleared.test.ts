import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromeLaunch } from '../chrome.ts';
import { call, openDatabase, openPage } from './engine-page.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

let server: PageServer;
let profile: string;
let context: BrowserContext;
let names = 0;
const place = { collectionName: 'docs' };

beforeAll(async () => {
  server = await serveEnginePage();
  profile = await mkdtemp(join(tmpdir(), 'elanus-cleared-'));
  context = await chromium.launchPersistentContext(profile, chromeLaunch());
});

afterAll(async () => {
  await context?.close();
  await server?.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** The ways in which data go: "clear site data" and eviction, and a page of the same origin that deletes the database. */
const WAYS: readonly (readonly [name: string, take: (page: Page, name: string) => Promise<void>])[] = [
  [
    'the browser clears the data of the site',
    async (page) => {
      const session = await context.newCDPSession(page);
      await session.send('Storage.clearDataForOrigin', { origin: server.origin, storageTypes: 'all' });
      await session.detach();
    },
  ],
  [
    'another page deletes the database',
    async (_page, name) => {
      const other = await context.newPage();
      await other.goto(server.origin);
      await other.evaluate(
        (database) =>
          new Promise<void>((resolve, reject) => {
            const { indexedDB } = globalThis as unknown as {
              indexedDB: { deleteDatabase(name: string): { onsuccess: () => void; onerror: () => void } };
            };
            const request = indexedDB.deleteDatabase(database);
            request.onsuccess = () => resolve();
            request.onerror = () => reject(new Error('not deleted'));
          }),
        `elanus:${name}`,
      );
      await other.close();
    },
  ],
];

describe.each(WAYS)('when %s', (_name, take) => {
  test('under an open database, every call says "closed", and opening again gives an empty one', async () => {
    const page = await openPage(context, server.origin);
    names += 1;
    const name = `cleared-${names}`;
    await openDatabase(page, name);
    expect(await call(page, 'createCollection', { ...place, dimension: 2 })).toEqual({ value: undefined });
    expect(await call(page, 'insert', { ...place, data: [{ id: 1, vector: [1, 0] }] })).toMatchObject({
      value: { insertCount: 1 },
    });
    expect(await call(page, 'flush', place)).toEqual({ value: undefined });
    await take(page, name);
    const calls = [
      call(page, 'insert', { ...place, data: [{ id: 2, vector: [0, 1] }] }),
      call(page, 'count', { ...place, consistencyLevel: 'Strong' }),
      call(page, 'search', { ...place, data: [[1, 0]], limit: 5 }),
      call(page, 'listCollections'),
      call(page, 'createCollection', { collectionName: 'new', dimension: 2 }),
      call(page, 'flush', place),
    ];
    for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ code: 'closed' });
    expect(await call(page, 'close')).toEqual({ value: undefined });

    await openDatabase(page, name);
    expect(await call(page, 'listCollections')).toEqual({ value: [] });
    expect(await call(page, 'createCollection', { ...place, dimension: 2 })).toEqual({ value: undefined });
    expect(await call(page, 'insert', { ...place, data: [{ id: 3, vector: [1, 0] }] })).toMatchObject({
      value: { insertCount: 1 },
    });
    expect(await call(page, 'count', place)).toEqual({ value: 1 });
    expect(await call(page, 'destroy')).toEqual({ value: undefined });
    await page.close();
  });

  test('while writes are under way, each ends, with an error that has a code', async () => {
    const page = await openPage(context, server.origin);
    names += 1;
    const name = `cleared-${names}`;
    await openDatabase(page, name);
    expect(await call(page, 'createCollection', { ...place, dimension: 8 })).toEqual({ value: undefined });
    const data = Array.from({ length: 50 }, (_, id) => ({ id, vector: Array.from({ length: 8 }, () => id) }));
    const writes = Array.from({ length: 12 }, () => call(page, 'upsert', { ...place, data }));
    await writes[0];
    await take(page, name);
    for (const outcome of await Promise.all(writes)) {
      if ('code' in outcome) expect(['closed', 'unavailable']).toContain(outcome.code);
    }
    expect(await call(page, 'upsert', { ...place, data: [] })).not.toHaveProperty('value');
    expect(await call(page, 'close')).toEqual({ value: undefined });
    await openDatabase(page, name);
    expect(await call(page, 'listCollections')).toEqual({ value: [] });
    expect(await call(page, 'destroy')).toEqual({ value: undefined });
    await page.close();
  });
});
