import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalEdge, startLocalEdge } from '../../worker/cli/local-edge.ts';
import {
  BUILT_PAGE,
  type DemoBrowser,
  type PageWindow,
  startDemoBrowser,
  titles,
  typed,
  untilReady,
} from './demo-page.ts';

let folder: string;
let edge: LocalEdge;
let browser: DemoBrowser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'elanus-demo-edge-'));
  edge = await startLocalEdge({ port: 0, host: '127.0.0.1', folder, page: BUILT_PAGE });
  browser = await startDemoBrowser();
  page = await browser.open(edge.url);
});

afterAll(async () => {
  await browser?.close();
  await edge?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('typing searches by meaning, misspelled too, and shows the time', async () => {
  const guitars = await typed(page, 'acoustic gutar for beginers');
  expect(guitars.slice(0, 5).filter((title) => /guitar/i.test(title)).length).toBeGreaterThanOrEqual(3);
  expect(await page.textContent('#timing')).toMatch(/\d ms search · \d+(\.\d)? ms embed/);
  const dinosaurs = await typed(page, 'dinosaur');
  const named = dinosaurs.slice(0, 5).filter((title) => /dino|rex|saur|jurassic/i.test(title));
  expect(named.length).toBeGreaterThanOrEqual(3);
});

test('category and price filter, and every shown product obeys', async () => {
  await typed(page, 'something with strings');
  await page.locator('#filters select').selectOption('Toys & Games');
  await page.getByLabel('Highest price').fill('30');
  const label = (await page.locator('#filters output').textContent()) ?? '';
  const highest = Number(label.replace(/[^0-9.]/g, ''));
  expect(highest).toBeGreaterThan(0);
  const price = (text: string): number => (text === 'free' ? 0 : Number(text.replace(/[^0-9.]/g, '')));
  await expect
    .poll(async () => {
      const metas = await page.locator('.card .meta').allTextContents();
      const prices = await page.locator('.card .price-tag').allTextContents();
      const obeys = metas.every((meta) => meta.includes('Toys & Games'));
      return metas.length > 0 && obeys && prices.every((text) => price(text) <= highest);
    })
    .toBe(true);
  await page.locator('#filters select').selectOption('');
  await page.getByLabel('Highest price').fill('100');
});

test('a filter in words of the filter language; one that is wrong says where, and the results stay', async () => {
  await typed(page, 'drum');
  await page.locator('.expression').fill('rating >= 4.9 and quantity < 10');
  await expect
    .poll(async () => {
      const stars = await page.locator('.card .meta').allTextContents();
      return stars.length > 0 && stars.every((text) => Number(/★ (\S+)/.exec(text)?.[1]) >= 4.85);
    })
    .toBe(true);
  const before = await titles(page);
  await page.locator('.expression').fill('rating >=');
  await expect.poll(() => page.textContent('#notice')).toMatch(/rating|expression|line 1/i);
  expect(await titles(page)).toEqual(before);
  await page.locator('.expression').fill('');
  await expect.poll(() => page.locator('#notice').isHidden()).toBe(true);
});

test('"more like this" searches with the product itself', async () => {
  const [first] = await typed(page, 'violin');
  await page.locator('.card button').first().click();
  await expect.poll(() => page.textContent('#notice')).toContain(first);
  const similar = await titles(page);
  expect(similar.slice(0, 8).some((title) => /violin|fiddle|cello|string/i.test(title))).toBe(true);
});

test('what a search finds lights up on the map, which arrow keys walk and Enter searches from', async () => {
  const map = page.locator('#map-surface');
  await expect.poll(() => map.getAttribute('data-points'), { timeout: 40_000 }).toBe('4000');
  await typed(page, 'ukulele');
  await expect.poll(() => map.getAttribute('data-lit')).toBe('24');
  expect(await map.getAttribute('aria-label')).toMatch(/^Map of 4,000 vectors\. 24 results marked\. The list/);
  await map.focus();
  await page.keyboard.press('ArrowRight');
  const [nearest] = await titles(page);
  expect(await page.textContent('#map-label')).toContain(nearest);
  expect(await page.textContent('#map-label')).toContain('result 1 of 24');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.textContent('#map-label strong')).not.toBe(nearest);
  const walked = await page.textContent('#map-label strong');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.textContent('#notice')).toBe(`More like “${walked}”`);
});

test('the same calls work at the edge, and find the same', async () => {
  const here = await typed(page, 'remote control car');
  await page.locator('input[value="edge"]').check({ force: true });
  // The first search there waits until the products have been sent.
  const where = (): string | undefined =>
    (globalThis as unknown as PageWindow).document.documentElement.dataset['where'];
  await expect.poll(() => page.evaluate(where), { timeout: 40_000, interval: 100 }).toBe('edge');
  await typed(page, 'drum');
  const there = await typed(page, 'remote control car');
  expect(there).toEqual(here);
  await page.locator('input[value="tab"]').check({ force: true });
});

test('the inspector tells segments, memory by kind, and where a search spends its time', async () => {
  await page.locator('#inspector > summary').click();
  const inspector = page.locator('#inspector');
  await expect.poll(() => inspector.textContent()).toMatch(/Lies inindexeddb\+opfs/);
  await expect.poll(() => inspector.textContent()).toMatch(/Cross-origin isolatedno/);
  await expect.poll(() => inspector.textContent()).toMatch(/Vectors \(WASM\)[\d.]+ MB/);
  await expect.poll(() => inspector.textContent()).toMatch(/for [\d,]+ rows of \d+ segments? in 1 channel/);
  await expect.poll(() => inspector.textContent()).toMatch(/Scan vectors[\d.]+ m?s/);
  const table = page.locator('#inspector table');
  expect(await table.locator('tr.collection').textContent()).toMatch(/^productsloaded4,000/);
  expect(await table.locator('tr.segment').count()).toBeGreaterThan(0);
  await page.locator('#inspector > summary').click();
});

test('with the server stopped, the page loads again and searches', async () => {
  const controlled = (): boolean => (globalThis as unknown as PageWindow).navigator.serviceWorker.controller !== null;
  await page.waitForFunction(controlled, undefined, { timeout: 20_000 });
  await edge.stop();
  await page.reload();
  await untilReady(page);
  const found = await typed(page, 'jigsaw jigsaw puzzle');
  expect(found.slice(0, 5).filter((title) => /puzzle|jigsaw/i.test(title)).length).toBeGreaterThanOrEqual(3);
  await page.locator('input[value="edge"]').check({ force: true });
  await expect.poll(() => page.textContent('#notice'), { timeout: 15_000 }).toMatch(/\S/);
  expect(browser.problems).toEqual([]);
});
