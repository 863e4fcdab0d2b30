import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BrowserDatabase } from '../../browser/index.ts';
import { seededRandom } from '../../core/base/random.ts';
import { launchKillable } from './chromium.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

/** What the page has. */
interface EngineWindow {
  readonly document: { readonly title: string };
  readonly elanus: { openHere(name: string): Promise<BrowserDatabase> };
  acknowledged(round: number, batch: number): void;
}

const ROUNDS = 6;
const BATCH_ROWS = 3;
let server: PageServer;
let profile: string;

beforeAll(async () => {
  server = await serveEnginePage();
  profile = await mkdtemp(join(tmpdir(), 'elanus-profile-'));
});

afterAll(async () => {
  await server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** Writes batches of three rows, one after another, until the page ends; flushes now and then. */
async function writeForEver(page: Page, round: number): Promise<void> {
  await page.evaluate(
    async ([round, batchRows]) => {
      const here = globalThis as unknown as EngineWindow;
      const db = await here.elanus.openHere('killed');
      await db.createCollection({ collectionName: 'c', dimension: 2 });
      void (async () => {
        for (let batch = 0; ; batch++) {
          const data = Array.from({ length: batchRows }, (_, row) => ({
            id: (round * 1_000_000 + batch) * 10 + row,
            vector: [batch, row + 1],
            batch,
            round,
          }));
          await db.insert({ collectionName: 'c', data });
          here.acknowledged(round, batch);
          if (batch % 37 === 36) await db.flush({ collectionName: 'c' });
        }
      })();
    },
    [round, BATCH_ROWS] as const,
  );
}

test('killing the tab, or the whole browser, at any moment loses nothing acknowledged', async () => {
  const random = seededRandom(20_261);
  const acknowledged: (readonly [round: number, batch: number])[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const chrome = await launchKillable(profile);
    const page = await chrome.page();
    await page.exposeFunction('acknowledged', (round: number, batch: number) => {
      acknowledged.push([round, batch]);
    });
    await page.goto(server.origin);
    await page.waitForFunction(() => (globalThis as unknown as EngineWindow).document.title === 'ready');
    await writeForEver(page, round);
    const before = acknowledged.length;
    while (acknowledged.length < before + 5) await sleep(5);
    await sleep(random() % 700);
    if (round % 2 === 0) {
      // The renderer dies with its page and its worker; the browser lives.
      const session = await page.context().newCDPSession(page);
      session.send('Page.crash').catch(() => undefined);
      await sleep(200);
      await expectAll(await chrome.page(), acknowledged);
    }
    await chrome.kill();
  }
  const chrome = await launchKillable(profile);
  await expectAll(await chrome.page(), acknowledged);
  await chrome.kill();
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 5);
}, 120_000);

async function expectAll(page: Page, acknowledged: readonly (readonly [number, number])[]): Promise<void> {
  await page.goto(server.origin);
  await page.waitForFunction(() => (globalThis as unknown as EngineWindow).document.title === 'ready');
  const batches = await page.evaluate(async () => {
    const here = globalThis as unknown as EngineWindow;
    const db = await here.elanus.openHere('killed');
    const found: Record<string, number> = {};
    for (let last = -1; ; ) {
      const rows = await db.query({
        collectionName: 'c',
        filter: `id > ${last}`,
        limit: 10_000,
        outputFields: ['round', 'batch'],
        consistencyLevel: 'Strong',
      });
      for (const row of rows) {
        const name = `${row['round']}/${row['batch']}`;
        found[name] = (found[name] ?? 0) + 1;
        last = Number(row['id']);
      }
      if (rows.length < 10_000) break;
    }
    await db.close();
    return found;
  });
  const lost = acknowledged.filter(([round, batch]) => batches[`${round}/${batch}`] === undefined);
  expect(lost, 'acknowledged batches that are gone').toEqual([]);
  const torn = Object.entries(batches).filter(([, rows]) => rows !== BATCH_ROWS);
  expect(torn, 'requests of which only a part is there').toEqual([]);
}
