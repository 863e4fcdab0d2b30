import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BrowserDatabase } from '../../browser/index.ts';
import { chromeLaunch } from '../chrome.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

/**
 * What the page's main thread does while the engine works, by Chromium's own trace: the processor time of each task,
 * which a busy machine does not stretch as it does the time on the clock. A task of 50 ms is felt, and this machine is
 * faster than a phone.
 */
const TASK_MS_MAX = 25;
const ROWS = 10_000;
const DIMENSION = 384;

interface EngineWindow {
  readonly elanus: { openHere(name: string): Promise<BrowserDatabase> };
  db: BrowserDatabase;
  rows: { id: number; vector: unknown; text: string }[];
}

/** An event of a trace; times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

let server: PageServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await serveEnginePage();
  browser = await chromium.launch(chromeLaunch());
  page = await browser.newPage();
  await page.goto(server.origin);
  await page.waitForFunction(() => 'elanus' in globalThis);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs in the page: makes the rows, which is the page's own affair, and an empty collection. */
async function prepare([form, count, dimension]: readonly [string, number, number]): Promise<void> {
  const here = globalThis as unknown as EngineWindow;
  here.db = await here.elanus.openHere(`main-thread-${form}`);
  await here.db.createCollection({ collectionName: 'c', dimension });
  const all = new Float32Array(form === 'views' ? count * dimension : 0);
  here.rows = [];
  for (let id = 0; id < count; id++) {
    const values = form === 'views' ? all.subarray(id * dimension, (id + 1) * dimension) : new Float32Array(dimension);
    values.fill(id % 97);
    here.rows.push({ id, vector: form === 'plain' ? [...values] : values, text: `row ${id}` });
    if (id % 500 === 0) await new Promise((done) => setTimeout(done, 0));
  }
}

/** Runs in the page. */
async function insert(): Promise<number> {
  const { db, rows } = globalThis as unknown as EngineWindow;
  return (await db.insert({ collectionName: 'c', data: rows })).insertCount;
}

/** Runs in the page. */
async function flush(): Promise<void> {
  await (globalThis as unknown as EngineWindow).db.flush({ collectionName: 'c' });
}

/** Runs in the page. */
async function search(dimension: number): Promise<number> {
  const { db } = globalThis as unknown as EngineWindow;
  let hits = 0;
  for (let query = 0; query < 20; query++) {
    const data = [new Float32Array(dimension).fill(query)];
    hits += (await db.search({ collectionName: 'c', data, limit: 10, outputFields: ['text'] }))[0]?.length ?? 0;
  }
  return hits;
}

/** The processor time of the main thread's longest task while something runs, in milliseconds. */
async function longestTaskMs(run: () => Promise<unknown>): Promise<number> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const tasks = traceEvents.filter(
    ({ ph, pid, tid, tdur }) =>
      ph === 'X' && tdur !== undefined && mains.some((main) => main.pid === pid && main.tid === tid),
  );
  expect(tasks.length, `tasks of ${mains.length} main threads in ${traceEvents.length} events`).toBeGreaterThan(0);
  return tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur / 1000), 0);
}

test('a trace shows a task that blocks', async () => {
  const block = (): number => {
    let sum = 0;
    for (let at = 0; at < 200_000_000; at++) sum = (sum + at) | 0;
    return sum;
  };
  expect(await longestTaskMs(() => page.evaluate(block))).toBeGreaterThan(TASK_MS_MAX);
});

test.each(['typed', 'views', 'plain'])(
  'inserting 10,000 × 384 %s vectors in one call, flushing and searching never blocks the page',
  async (form) => {
    await page.evaluate(prepare, [form, ROWS, DIMENSION] as const);
    const longest = {
      insert: await longestTaskMs(async () => expect(await page.evaluate(insert)).toBe(ROWS)),
      flush: await longestTaskMs(() => page.evaluate(flush)),
      search: await longestTaskMs(async () => expect(await page.evaluate(search, DIMENSION)).toBe(200)),
    };
    await page.evaluate(() => (globalThis as unknown as EngineWindow).db.destroy());
    for (const [what, ms] of Object.entries(longest)) expect(ms, what).toBeLessThan(TASK_MS_MAX);
  },
  240_000,
);
