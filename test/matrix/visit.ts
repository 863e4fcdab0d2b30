import type { Browser, ConsoleMessage, Page } from 'playwright';
import { expect } from 'vitest';
import type { Found } from './page-program.ts';

/** What a page of `pageProgram` leaves behind, and its open database. */
interface PageGlobals {
  readonly found?: Found;
  readonly failed?: string;
  readonly db: {
    insert(body: object): Promise<unknown>;
    query(body: object): Promise<readonly { readonly id: number }[]>;
    info(): Promise<{ readonly tab: { readonly link: string } }>;
  };
}

/** A tab that has run its program. */
export interface Visited {
  readonly found?: Found;
  /** The code and the message of what ended the program. */
  readonly failed?: string;
  /** What the browser complained about: errors that nothing caught, refusals, what could not be loaded. */
  readonly complaints: readonly string[];
}

/**
 * Loads the page at `url`, or loads it again if there is no `url`, and waits until its program has ended. Rejects if
 * something in the page throws what nothing catches.
 */
export async function visit(page: Page, url?: string): Promise<Visited> {
  const complaints: string[] = [];
  const onConsole = (message: ConsoleMessage): void => {
    const isFavicon = message.location().url.endsWith('/favicon.ico');
    if (message.type() === 'error' && !isFavicon) complaints.push(message.text());
  };
  const uncaught = Promise.withResolvers<never>();
  uncaught.promise.catch(() => undefined);
  page.on('pageerror', uncaught.reject).on('console', onConsole);
  try {
    await (url === undefined ? page.reload() : page.goto(url));
    const ended = await Promise.race([page.waitForFunction(ending, undefined, { timeout: 40_000 }), uncaught.promise]);
    return { ...(await ended.jsonValue()), complaints };
  } catch (cause) {
    throw new Error(`The page did not finish: ${complaints.join('; ')}`, { cause });
  } finally {
    page.off('pageerror', uncaught.reject).off('console', onConsole);
  }
}

/** Runs in the page: how its program ended, if it has. */
function ending(): Pick<PageGlobals, 'found' | 'failed'> | undefined {
  const { found, failed } = globalThis as unknown as PageGlobals;
  if (found !== undefined) return { found };
  return failed === undefined ? undefined : { failed };
}

/**
 * The page at `url` opens, creates, inserts and searches; finds its rows again after a reload; and a second tab beside it
 * finds what the first one writes, and the other way round, by `link`. Nothing is complained about, and no header
 * isolates origins.
 */
export async function expectWorks(browser: Browser, url: string, link: Link = 'ports'): Promise<void> {
  const context = await browser.newContext();
  try {
    const first = await context.newPage();
    expect(await visit(first, url), 'the first visit').toEqual(works({ isFirst: true }));
    expect(await visit(first), 'after a reload').toEqual(works({ isFirst: false }));
    const second = await context.newPage();
    expect(await visit(second, url), 'a second tab').toEqual(works({ isFirst: false }));
    expect([await linkOf(first), await linkOf(second)]).toEqual(['own', link]);
    await insert(first, 3);
    expect(await idsIn(second), 'what the first tab wrote').toEqual([1, 2, 3]);
    await insert(second, 4);
    expect(await idsIn(first), 'what the second tab wrote').toEqual([1, 2, 3, 4]);
  } finally {
    await context.close();
  }
}

/** How a second tab reaches the engine in the first: by ports through a SharedWorker, which only files of the page's own origin have. */
export type Link = 'ports' | 'broadcast';

async function linkOf(page: Page): Promise<string> {
  return await page.evaluate(async () => (await (globalThis as unknown as PageGlobals).db.info()).tab.link);
}

async function insert(page: Page, id: number): Promise<void> {
  const data = [{ id, vector: [0, 0, 1], color: 'green' }];
  await page.evaluate(async (rows) => {
    await (globalThis as unknown as PageGlobals).db.insert({ collectionName: 'docs', data: rows });
  }, data);
}

async function idsIn(page: Page): Promise<number[]> {
  const rows = await page.evaluate(() => {
    const { db } = globalThis as unknown as PageGlobals;
    return db.query({ collectionName: 'docs', filter: 'id > 0', outputFields: ['id'] });
  });
  return rows.map(({ id }) => id).sort();
}

function works({ isFirst }: { isFirst: boolean }): Visited {
  const hits = [{ id: 2, distance: 1, color: 'blue' }];
  const found = { hits, near: [1, 1], storage: 'indexeddb+opfs', isFirst, isIsolated: false };
  return { found, complaints: [] };
}
