import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalEdge, startLocalEdge } from '../../worker/cli/local-edge.ts';
import { chromeLaunch } from '../chrome.ts';

/** What the tests look at in the page; this project names no DOM. */
interface PageWindow {
  readonly document: { readonly documentElement: { readonly dataset: Record<string, string> } };
  readonly navigator: { readonly serviceWorker: { readonly controller: unknown } };
}

const builtPage = fileURLToPath(new URL('../../dist/demo', import.meta.url));
let folder: string;
let edge: LocalEdge;
let context: BrowserContext;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  expect(existsSync(join(builtPage, 'index.html')), 'the page is built by `npm test` or `npm run build`').toBe(true);
  folder = await mkdtemp(join(tmpdir(), 'elanus-demo-'));
  edge = await startLocalEdge({ port: 0, host: '127.0.0.1', folder: join(folder, 'edge'), page: builtPage });
  context = await chromium.launchPersistentContext(join(folder, 'profile'), chromeLaunch());
  page = await context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(edge.url);
  await ready();
});

afterAll(async () => {
  await context?.close();
  await edge?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function ready(): Promise<void> {
  const isReady = (): boolean =>
    (globalThis as unknown as PageWindow).document.documentElement.dataset['ready'] === 'true';
  await page.waitForFunction(isReady, undefined, { timeout: 50_000 });
}

/** Types a query, and gives the titles of the cards once they have changed. */
async function typed(text: string): Promise<string[]> {
  const before = await page.locator('.card h3').allTextContents();
  await page.fill('#query', text);
  await expect
    .poll(async () => (await page.locator('.card h3').allTextContents()).join('|'), { timeout: 10_000 })
    .not.toBe(before.join('|'));
  return page.locator('.card h3').allTextContents();
}

test('typing searches by meaning, misspelled too, and shows the time', async () => {
  const guitars = await typed('acoustic gutar for beginers');
  expect(guitars.slice(0, 5).filter((title) => /guitar/i.test(title)).length).toBeGreaterThanOrEqual(3);
  expect(await page.textContent('#timing')).toMatch(/\d ms search · \d+(\.\d)? ms embed/);
  const dinosaurs = await typed('dinosaur');
  expect(dinosaurs.slice(0, 5).filter((title) => /dino|rex|saur|jurassic/i.test(title)).length).toBeGreaterThanOrEqual(
    3,
  );
});

test('category and price filter, and every shown product obeys', async () => {
  await typed('something with strings');
  await page.selectOption('#category', { label: 'Toys & Games' });
  await page.locator('#price').fill('30');
  const label = (await page.textContent('#price-label')) ?? '';
  const highest = Number(label.replace(/[^0-9.]/g, ''));
  expect(highest).toBeGreaterThan(0);
  await expect
    .poll(async () => {
      const metas = await page.locator('.card .meta').allTextContents();
      const prices = await page.locator('.card .price-tag').allTextContents();
      const price = (text: string): number => (text === 'free' ? 0 : Number(text.replace(/[^0-9.]/g, '')));
      return (
        metas.length > 0 &&
        metas.every((meta) => meta.includes('Toys & Games')) &&
        prices.every((text) => price(text) <= highest)
      );
    })
    .toBe(true);
  await page.selectOption('#category', '');
  await page.locator('#price').fill('100');
});

test('"more like this" searches with the product itself', async () => {
  const [first] = await typed('violin');
  await page.locator('.card button').first().click();
  await expect.poll(() => page.textContent('#notice')).toContain(first);
  const similar = await page.locator('.card h3').allTextContents();
  expect(similar.slice(0, 8).some((title) => /violin|fiddle|cello|string/i.test(title))).toBe(true);
});

test('the same calls work at the edge, and find the same', async () => {
  const here = await typed('remote control car');
  await page.locator('input[value="edge"]').check({ force: true });
  // The first search there waits until the products have been sent.
  const where = (): string | undefined =>
    (globalThis as unknown as PageWindow).document.documentElement.dataset['where'];
  await expect.poll(() => page.evaluate(where), { timeout: 40_000, interval: 100 }).toBe('edge');
  await typed('drum');
  const there = await typed('remote control car');
  expect(there).toEqual(here);
  await page.locator('input[value="tab"]').check({ force: true });
});

test('what is stored where is told', async () => {
  await page.locator('summary').click();
  await expect.poll(() => page.textContent('#facts')).toMatch(/4,000 products in indexeddb\+opfs/);
  expect(await page.textContent('#facts')).toMatch(/Cross-origin isolatedfalse/);
});

test('with the server stopped, the page loads again and searches', async () => {
  const controlled = (): boolean => (globalThis as unknown as PageWindow).navigator.serviceWorker.controller !== null;
  await page.waitForFunction(controlled, undefined, { timeout: 20_000 });
  await edge.stop();
  await page.reload();
  await ready();
  const found = await typed('jigsaw puzzle');
  expect(found.slice(0, 5).filter((title) => /puzzle|jigsaw/i.test(title)).length).toBeGreaterThanOrEqual(3);
  await page.locator('input[value="edge"]').check({ force: true });
  await expect.poll(() => page.textContent('#notice'), { timeout: 15_000 }).toMatch(/\S/);
  expect(problems).toEqual([]);
});
