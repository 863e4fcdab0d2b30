import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromeLaunch } from '../chrome.ts';
import { call, type EngineWindow, type Outcome, openDatabase, openPage } from './engine-page.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

const MIB = 1024 * 1024;
const DIMENSION = 256;
const BATCH = 200;
let server: PageServer;
let profile: string;
let context: BrowserContext;
let page: Page;
/** An override of the quota lasts as long as the session that set it. */
let session: CDPSession;

beforeAll(async () => {
  server = await serveEnginePage();
  profile = await mkdtemp(join(tmpdir(), 'elanus-quota-'));
  // A profile on disk: what is in memory only is counted in another way.
  context = await chromium.launchPersistentContext(profile, chromeLaunch());
  page = await openPage(context, server.origin);
  session = await context.newCDPSession(page);
});

afterAll(async () => {
  await context?.close();
  await server?.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/**
 * Gives the origin so many bytes more than it uses. Chromium asks for the quota only when what it was told last is used
 * up, or half a minute old: to give less later has no effect for a while.
 */
async function allow(more: number): Promise<void> {
  const { usage } = await session.send('Storage.getUsageAndQuota', { origin: server.origin });
  const quotaSize = Math.ceil(usage + more);
  await session.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize });
}

/** Inserts rows of about 1 KiB each, beginning with key `from`; they are made in the page, and nothing packs them. */
function insert(collectionName: string, from: number, rows: number = BATCH): Promise<Outcome> {
  return page.evaluate(
    async ([collectionName, from, rows, dimension]) => {
      const { db } = globalThis as unknown as EngineWindow;
      const data = Array.from({ length: rows }, (_, row) => ({
        id: from + row,
        vector: Float32Array.from({ length: dimension }, (_, at) => Math.sin((from + row) * 31.7 + at)),
      }));
      try {
        return { value: (await db.insert({ collectionName, data })).insertCount };
      } catch (error) {
        const { code, message, details } = error as { code: string; message: string; details?: { outcome?: unknown } };
        return { code, message, outcome: details?.outcome };
      }
    },
    [collectionName, from, rows, DIMENSION] as const,
  );
}

async function fill(collectionName: string, rows: number, batch: number): Promise<number> {
  for (let written = rows, attempt = 0; attempt < 400; attempt++, written += batch) {
    const outcome = await insert(collectionName, written, batch);
    if ('value' in outcome) continue;
    expect(outcome).toMatchObject({ code: 'quota', outcome: 'not-written' });
    return written;
  }
  return expect.unreachable('the store never fills up');
}

async function expectRows(collectionName: string, rows: number): Promise<void> {
  expect(await call(page, 'count', { collectionName, consistencyLevel: 'Strong' })).toEqual({ value: rows });
  const data = [Array.from({ length: DIMENSION }, (_, at) => Math.sin(7 * 31.7 + at))];
  const found = (await call(page, 'search', { collectionName, data, limit: 1 })) as { value: { id: number }[][] };
  expect(found.value[0]?.[0]?.id).toBe(7);
}

test('a store without any room refuses to begin, and begins when there is some', async () => {
  await allow(1);
  await openDatabase(page, 'none');
  const created = await call(page, 'createCollection', { collectionName: 'c', dimension: DIMENSION });
  if ('code' in created) expect(created.code).toBe('quota');
  expect(await insert('c', 0)).toMatchObject({ code: 'code' in created ? 'not-found' : 'quota' });
  await allow(16 * MIB);
  expect(await call(page, 'createCollection', { collectionName: 'c', dimension: DIMENSION })).toEqual({
    value: undefined,
  });
  expect(await insert('c', 0)).toEqual({ value: BATCH });
  await expectRows('c', BATCH);
  expect(await call(page, 'destroy')).toEqual({ value: undefined });
});

test('a full store says "quota", goes on reading, and works again when a collection is dropped', async () => {
  await allow(16 * MIB);
  await openDatabase(page, 'full');
  for (const collectionName of ['keep', 'drop']) {
    expect(await call(page, 'createCollection', { collectionName, dimension: DIMENSION })).toEqual({
      value: undefined,
    });
    for (let batch = 0; batch < 10; batch++) {
      expect(await insert(collectionName, batch * BATCH)).toEqual({ value: BATCH });
    }
    expect(await call(page, 'flush', { collectionName })).toEqual({ value: undefined });
  }
  await expectRows('drop', 10 * BATCH);
  // First what is large does not fit any more, then nothing does.
  let rows = await fill('keep', 10 * BATCH, BATCH);
  rows = await fill('keep', rows, 10);
  rows = await fill('keep', rows, 1);
  await expectRows('keep', rows);
  for (const method of ['flush', 'describeCollection', 'getCollectionStatistics'] as const) {
    const outcome = await call(page, method, { collectionName: 'keep' });
    if ('code' in outcome) expect([method, outcome.code]).toEqual(['flush', 'quota']);
  }
  await expectRows('keep', rows);

  // Opening needs no room.
  expect(await call(page, 'close')).toEqual({ value: undefined });
  await page.reload();
  await page.waitForFunction(
    () => (globalThis as unknown as { document: { title: string } }).document.title === 'ready',
  );
  await openDatabase(page, 'full');
  await expectRows('keep', rows);
  await expectRows('drop', 10 * BATCH);
  expect(await insert('keep', rows, BATCH)).toMatchObject({ code: 'quota', outcome: 'not-written' });

  expect(await call(page, 'dropCollection', { collectionName: 'drop' })).toEqual({ value: undefined });
  expect(await call(page, 'listCollections')).toEqual({ value: ['keep'] });
  expect(await insert('keep', rows)).toEqual({ value: BATCH });
  await expectRows('keep', rows + BATCH);
  // A flush needs room for what it moves out of the log.
  await allow(32 * MIB);
  expect(await call(page, 'flush', { collectionName: 'keep' })).toEqual({ value: undefined });
  expect(await insert('keep', rows + BATCH)).toEqual({ value: BATCH });
  await expectRows('keep', rows + 2 * BATCH);
  expect(await call(page, 'destroy')).toEqual({ value: undefined });
}, 120_000);
