import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { expect } from 'vitest';
import { chromeLaunch } from '../chrome.ts';

/** What the tests look at in the page; this project names no DOM. */
export interface PageWindow {
  readonly document: { readonly documentElement: { readonly dataset: Record<string, string> } };
  readonly navigator: { readonly serviceWorker: { readonly controller: unknown } };
}

/** The page as `npm run build` leaves it. */
export const BUILT_PAGE: string = fileURLToPath(new URL('../../dist/demo', import.meta.url));

/** A browser with a profile of its own, on disk as a person's is. */
export interface DemoBrowser {
  readonly context: BrowserContext;
  /** Errors that no code of any page caught. */
  readonly problems: string[];
  /** Opens the page in a new tab and waits until it can be used. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** Starts Chromium for the built page; refuses if that is not there. */
export async function startDemoBrowser(
  options: { readonly viewport?: { width: number; height: number } } = {},
): Promise<DemoBrowser> {
  expect(existsSync(join(BUILT_PAGE, 'index.html')), 'the page is built by `npm test` or `npm run build`').toBe(true);
  const folder = await mkdtemp(join(tmpdir(), 'elanus-demo-'));
  const context = await chromium.launchPersistentContext(folder, { ...chromeLaunch(), ...options });
  const problems: string[] = [];
  return {
    context,
    problems,
    async open(url) {
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(url);
      await untilReady(page);
      return page;
    },
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Waits until the products are there and the first search is shown. */
export async function untilReady(page: Page): Promise<void> {
  const isReady = (): boolean =>
    (globalThis as unknown as PageWindow).document.documentElement.dataset['ready'] === 'true';
  await page.waitForFunction(isReady, undefined, { timeout: 50_000 });
}

/** The titles of the cards. */
export function titles(page: Page): Promise<string[]> {
  return page.locator('.card h3').allTextContents();
}

/** Types a query, and gives the titles of the cards once they are those of the query. */
export async function typed(page: Page, text: string): Promise<string[]> {
  await page.fill('#query', text);
  await expect.poll(() => page.getAttribute('#results', 'data-query'), { timeout: 15_000 }).toBe(text);
  return titles(page);
}

/** A file that is given to the page. */
export interface GivenFile {
  readonly name: string;
  readonly text: string;
}

/** Gives the page a file to import, and waits until it asks what to do with it. */
export async function give(page: Page, file: GivenFile): Promise<void> {
  await page.click('#import-open');
  await page.setInputFiles('#import-file', { name: file.name, mimeType: 'text/plain', buffer: Buffer.from(file.text) });
  await page.locator('.import-form').waitFor();
}

/** Imports a file with the choices that the page guessed, and shows it. */
export async function importWhole(page: Page, file: GivenFile): Promise<void> {
  await give(page, file);
  await page.click('#import button[type=submit].primary');
  await showImported(page, file);
}

/** Waits for the end of an import, and shows what has come: a query that was typed before would be taken away. */
export async function showImported(page: Page, file: GivenFile): Promise<void> {
  await page.getByRole('button', { name: 'Search it' }).click({ timeout: 40_000 });
  await page.locator('#import').waitFor({ state: 'hidden' });
  await expect.poll(() => page.textContent('#shelf [aria-pressed=true] .label')).toBe(file.name);
  const name = await page.getAttribute('#shelf [aria-pressed=true]', 'data-name');
  await expect.poll(() => page.getAttribute('#results', 'data-collection')).toBe(name);
}
