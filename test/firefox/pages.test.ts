import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findFirefox, launchFirefox } from '../firefox.ts';
import { call, openDatabase, openPage as openIn } from '../node/engine-page.ts';
import { type PageServer, serveEnginePage } from '../node/page-server.ts';

/**
 * Real pages in the Firefox of this machine, driven over WebDriver BiDi: `open`, reload, a browser that is closed and
 * started again, several tabs, and what its settings may refuse. The stores' own suites run there too, as the project
 * `firefox`.
 */

const place = { collectionName: 'docs' };
const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === 'IPv4' && !found.internal)?.address;

describe.skipIf(findFirefox() === undefined)('in Firefox (skipped where there is none; FIREFOX_PATH names it)', () => {
  let server: PageServer;
  let profile: string;
  let browser: Browser | undefined;

  beforeAll(async () => {
    server = await serveEnginePage();
  });
  afterAll(() => server?.close());

  beforeEach(async () => {
    profile = await mkdtemp(join(tmpdir(), 'elanus-firefox-'));
  });
  afterEach(async () => {
    await browser?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  async function launch(preferences: Readonly<Record<string, string | number | boolean>> = {}): Promise<void> {
    browser = await launchFirefox({ profile, preferences });
  }

  /** Puppeteer's pages have the methods that these tests use under the same names as Playwright's. */
  function openPage(origin: string): Promise<Page> {
    return openIn(browser as unknown as Parameters<typeof openIn>[0], origin);
  }

  async function write(page: Page): Promise<void> {
    expect(await call(page, 'createCollection', { ...place, dimension: 3 })).toEqual({ value: undefined });
    const data = Array.from({ length: 1_000 }, (_, id) => ({ id, vector: [1, id / 1_000, 0], name: `row ${id}` }));
    expect(await call(page, 'insert', { ...place, data })).toMatchObject({ value: { insertCount: 1_000 } });
    expect(await call(page, 'flush', place)).toEqual({ value: undefined });
    const tail = [{ id: 1_000, vector: [0, 0, 1], name: 'tail' }];
    expect(await call(page, 'insert', { ...place, data: tail })).toMatchObject({ value: { insertCount: 1 } });
    await expectFound(page);
  }

  async function expectFound(page: Page): Promise<void> {
    expect(await call(page, 'count', { ...place, consistencyLevel: 'Strong' })).toEqual({ value: 1_001 });
    const filter = 'name like "row%"';
    const query = { ...place, data: [[1, 0, 0]], limit: 1, outputFields: ['name'], filter };
    expect(await call(page, 'search', query)).toMatchObject({ value: [[{ id: 0, name: 'row 0' }]] });
    const tail = { ...place, data: [[0, 0, 1]], limit: 1, outputFields: ['name'] };
    expect(await call(page, 'search', tail)).toMatchObject({ value: [[{ id: 1_000, name: 'tail' }]] });
  }

  test('a database opens, and is there after a reload and after the browser was started again', async () => {
    await launch();
    expect(await browser?.version()).toMatch(/^firefox\/\d+/i);
    const page = await openPage(server.origin);
    const info = await openDatabase(page, 'kept');
    expect(info).toMatchObject({ host: 'browser', storage: 'indexeddb+opfs', missing: [] });
    await write(page);
    await page.reload();
    await page.waitForFunction(() => document.title === 'ready');
    await openDatabase(page, 'kept');
    await expectFound(page);
    await browser?.close();
    await launch();
    const again = await openPage(server.origin);
    await openDatabase(again, 'kept');
    await expectFound(again);
    expect(await call(again, 'destroy')).toEqual({ value: undefined });
  }, 180_000);

  test('a second tab shows the same data at once, and goes on when the first closes', async () => {
    await launch();
    const first = await openPage(server.origin);
    const second = await openPage(server.origin);
    await openDatabase(first, 'tabs');
    const info = await openDatabase(second, 'tabs');
    expect(info.tab).toMatchObject({ leads: false, link: 'ports' });
    await write(first);
    await expectFound(second);
    const more = [{ id: 2_000, vector: [0, 1, 0], name: 'second' }];
    const inserting = call(second, 'insert', { ...place, data: more });
    await first.close();
    expect(await inserting).toMatchObject({ value: { insertCount: 1 } });
    expect(await call(second, 'count', { ...place, consistencyLevel: 'Strong' })).toEqual({ value: 1_002 });
    expect(await call(second, 'info')).toMatchObject({ value: { tab: { leads: true } } });
  }, 180_000);

  test('"never remember history" is one long private window: it works there', async () => {
    await launch({ 'browser.privatebrowsing.autostart': true });
    const page = await openPage(server.origin);
    const info = await openDatabase(page, 'private');
    expect(['indexeddb', 'indexeddb+opfs']).toContain(info.storage);
    await write(page);
  }, 120_000);

  test.each([
    ['site data are blocked', { 'network.cookie.cookieBehavior': 2 }],
    [
      'private windows may not use IndexedDB, as before version 115',
      {
        'browser.privatebrowsing.autostart': true,
        'dom.indexedDB.privateBrowsing.enabled': false,
      },
    ],
  ])(
    'where %s, it works in memory and says so',
    async (_name, preferences) => {
      await launch(preferences);
      const page = await openPage(server.origin);
      const info = await openDatabase(page, 'refused');
      expect(info.storage).toBe('memory');
      expect(info.missing).toContainEqual(expect.stringMatching(/IndexedDB is refused here.*in memory/));
      await write(page);
    },
    60_000,
  );

  test.skipIf(ADDRESS === undefined)(
    'on an insecure origin it works on IndexedDB alone',
    async () => {
      const insecure = await serveEnginePage('', ADDRESS);
      await launch();
      const page = await openPage(insecure.origin);
      const info = await openDatabase(page, 'insecure');
      expect(info.storage).toBe('indexeddb');
      expect(info.missing?.join('\n')).toMatch(/secure origin[\s\S]*Web Locks[\s\S]*OPFS/);
      await write(page);
      await page.reload();
      await page.waitForFunction(() => document.title === 'ready');
      await openDatabase(page, 'insecure');
      await expectFound(page);
      await insecure.close();
    },
    60_000,
  );
});

declare const document: { readonly title: string };
