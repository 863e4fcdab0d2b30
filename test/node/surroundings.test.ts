import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromeLaunch } from '../chrome.ts';
import { call, openDatabase, openPage } from './engine-page.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

/** What a page may lack: a secure origin, a disk, leave to store anything. */

/** An address of this machine that browsers do not take for secure, as a phone on the local network sees it. */
const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === 'IPv4' && !found.internal)?.address;

let browser: Browser;
let server: PageServer;
const place = { collectionName: 'docs' };

beforeAll(async () => {
  [browser, server] = await Promise.all([chromium.launch(chromeLaunch()), serveEnginePage()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function writeAndSearch(page: Page): Promise<void> {
  expect(await call(page, 'createCollection', { ...place, dimension: 2, autoID: true })).toEqual({ value: undefined });
  const data = Array.from({ length: 300 }, (_, row) => ({ vector: [1, row / 300], row }));
  expect(await call(page, 'insert', { ...place, data })).toMatchObject({ value: { insertCount: 300 } });
  expect(await call(page, 'flush', place)).toEqual({ value: undefined });
  expect(await call(page, 'insert', { ...place, data: [{ vector: [0, 1], row: 300 }] })).toMatchObject({
    value: { insertCount: 1 },
  });
  await expectFound(page);
}

async function expectFound(page: Page): Promise<void> {
  expect(await call(page, 'count', place)).toEqual({ value: 301 });
  for (const [vector, row] of [
    [[0, 1], 300],
    [[1, 0], 0],
  ] as const) {
    const found = await call(page, 'search', { ...place, data: [vector], limit: 1, outputFields: ['row'] });
    expect(found).toMatchObject({ value: [[{ row }]] });
  }
}

async function reloaded(page: Page): Promise<void> {
  await page.reload();
  await page.waitForFunction(() => document.title === 'ready');
}

declare const document: { readonly title: string };
declare const isSecureContext: boolean;

test.skipIf(ADDRESS === undefined)(
  'on an insecure origin it works on IndexedDB alone, and says what is missing',
  async () => {
    const insecure = await serveEnginePage('', ADDRESS);
    const context = await browser.newContext();
    const page = await openPage(context, insecure.origin);
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    const info = await openDatabase(page, 'insecure');
    expect(info.storage).toBe('indexeddb');
    expect(info.missing).toEqual([
      expect.stringMatching(/secure origin/),
      expect.stringMatching(/Web Locks/),
      expect.stringMatching(/OPFS/),
    ]);
    await writeAndSearch(page);
    await reloaded(page);
    await openDatabase(page, 'insecure');
    await expectFound(page);
    // Another tab has an engine of its own; both write, and both see it all.
    const other = await openPage(context, insecure.origin);
    await openDatabase(other, 'insecure');
    for (let turn = 0; turn < 4; turn++) {
      const writer = turn % 2 === 0 ? other : page;
      const outcome = await call(writer, 'insert', { ...place, data: [{ vector: [-1, turn], row: 1_000 + turn }] });
      expect(outcome).toMatchObject({ value: { insertCount: 1 } });
      for (const reader of [page, other]) {
        const count = await call(reader, 'count', { ...place, consistencyLevel: 'Strong' });
        expect(count).toEqual({ value: 302 + turn });
      }
    }
    await context.close();
    await insecure.close();
  },
  60_000,
);

test('in a private window it works, and lacks nothing but a future', async () => {
  // A context that Playwright makes is off the record, as an incognito window is.
  const context = await browser.newContext();
  const page = await openPage(context, server.origin);
  const info = await openDatabase(page, 'private');
  expect(info).toMatchObject({ storage: 'indexeddb+opfs', missing: [], persisted: false });
  await writeAndSearch(page);
  await reloaded(page);
  await openDatabase(page, 'private');
  await expectFound(page);
  await context.close();
});

test('where the browser lets no site store anything, it works in memory, and says so', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'elanus-blocked-'));
  await mkdir(join(profile, 'Default'), { recursive: true });
  // "Block all site data", as the settings page writes it.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, chromeLaunch());
  const page = await openPage(context, server.origin);
  const info = await openDatabase(page, 'blocked');
  expect(info.storage).toBe('memory');
  expect(info.missing).toContainEqual(expect.stringMatching(/IndexedDB is refused here.*in memory/));
  await writeAndSearch(page);
  expect(await call(page, 'close')).toEqual({ value: undefined });
  const asked = openDatabase(page, 'blocked', { storage: 'indexeddb' });
  await expect(asked).rejects.toThrow();
  await context.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});
