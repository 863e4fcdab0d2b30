import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BrowserDatabase, OpenOptions, TabInfo } from '../../browser/index.ts';
import { chromeLaunch } from '../chrome.ts';
import { keepWorkers } from './engine-page.ts';
import { type PageServer, serveEnginePage } from './page-server.ts';

/** What the page has, and what the tests put there. */
interface PageGlobals {
  readonly document: { readonly title: string };
  readonly elanus: { openHere(name: string, options: Partial<OpenOptions>): Promise<BrowserDatabase> };
  db: BrowserDatabase & Record<string, (body?: unknown) => Promise<unknown>>;
  workers: { terminate(): void }[];
  heard: string[];
  shown: number[];
  askWorker(method: string, body: unknown): Promise<unknown>;
}

/** A worker, by the page's types. */
interface WorkerLike {
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void, options: { once: true }): void;
  postMessage(message: unknown): void;
}

/** By these the tests reach into workers, which the locks they hold tell apart: one ends, one hears nothing for a while. */
const HOOKS = `
  const hook = new BroadcastChannel('test-hooks');
  const held = new Set();
  let isMute = false;
  hook.onmessage = ({ data: { lock, ends, mutes, silentMs } }) => {
    if (!held.has(lock)) return;
    isMute = mutes ?? isMute;
    if (ends) self.close();
    for (const until = Date.now() + (silentMs ?? 0); Date.now() < until; ) {}
  };
  // A mute worker's answers to writes are lost on their way.
  for (const { prototype } of [MessagePort, BroadcastChannel, globalThis.DedicatedWorkerGlobalScope ?? MessagePort]) {
    const { postMessage } = prototype;
    prototype.postMessage = function (message, ...rest) {
      if (!isMute || typeof message?.value?.timestamp !== 'bigint') postMessage.call(this, message, ...rest);
    };
  }
  const request = navigator.locks.request;
  navigator.locks.request = function (name, options, ...rest) {
    if (options.mode !== 'shared') held.add(name);
    return request.call(this, name, options, ...rest);
  };`;

/** Insecure origins have no Web Locks. */
const NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined });";

const AUTOMATIC = { collectionName: 'c', dimension: 2, autoID: true };
let server: PageServer;
let browser: Browser;
let context: BrowserContext;
let pages: Page[] = [];

beforeAll(async () => {
  server = await serveEnginePage(HOOKS);
  browser = await chromium.launch(chromeLaunch());
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  context = await browser.newContext();
  await context.addInitScript(keepWorkers);
  pages = [];
});

afterEach(() => context.close());

async function openTab(options: Partial<OpenOptions> = {}, origin = server.origin): Promise<Page> {
  const page = await context.newPage();
  pages.push(page);
  await page.goto(origin);
  await page.waitForFunction(() => (globalThis as unknown as PageGlobals).document.title === 'ready');
  await page.evaluate(async (options) => {
    const here = globalThis as unknown as PageGlobals;
    here.db = (await here.elanus.openHere('shared', options)) as PageGlobals['db'];
  }, options);
  return page;
}

function call(page: Page, method: string, body?: unknown): Promise<unknown> {
  return page.evaluate(([method, body]) => (globalThis as unknown as PageGlobals).db[method as string]?.(body), [
    method,
    body,
  ] as const);
}

async function tabOf(page: Page): Promise<TabInfo> {
  return ((await call(page, 'info')) as { tab: TabInfo }).tab;
}

/** Inserts one row after another until `count` are acknowledged; rows are told apart by `n`, keys are automatic. */
function insertMany(page: Page, from: number, count: number): Promise<unknown[]> {
  return page.evaluate(
    async ([from, count]) => {
      const { db } = globalThis as unknown as PageGlobals;
      const keys: unknown[] = [];
      const insert = async (n: number): Promise<void> => {
        const { insertIds } = await db.insert({ collectionName: 'c', data: [{ vector: [1, n], n }] });
        keys.push(...insertIds);
      };
      for (let n = from; n < from + count; n += 4) await Promise.all([0, 1, 2, 3].map((step) => insert(n + step)));
      return keys;
    },
    [from, count] as const,
  );
}

/** The numbers of all rows, ascending: a row that was lost is missing, and one that was applied twice is there twice. */
async function numbers(page: Page): Promise<number[]> {
  const body = { collectionName: 'c', limit: 10_000, outputFields: ['n'], consistencyLevel: 'Strong' };
  const rows = (await call(page, 'query', body)) as { n: number }[];
  return rows.map(({ n }) => n).toSorted((a, b) => a - b);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Tells the worker that holds a lock to end, or to hear nothing for a while. */
async function reach(
  page: Page,
  hook: { lock: string; ends?: boolean; mutes?: boolean; silentMs?: number },
): Promise<void> {
  await page.evaluate((hook) => {
    const channel = new BroadcastChannel('test-hooks');
    channel.postMessage(hook);
    channel.close();
  }, hook);
}

/** The name of the lock that the engine holds. */
async function engineLock(page: Page): Promise<string> {
  const held = await page.evaluate(async () => {
    const { locks } = navigator as unknown as { locks: { query(): Promise<{ held: { name: string }[] }> } };
    return (await locks.query()).held.map(({ name }) => name);
  });
  const [lock, ...others] = held.filter((name) => name.startsWith('elanus:shared:engine:'));
  expect(others).toEqual([]);
  return lock as string;
}

describe.each(['auto', 'broadcast'] as const)('tabs of one browser, linked by %s', (link) => {
  test('a second tab shows the same at once', async () => {
    const first = await openTab();
    const second = await openTab({ link });
    await call(first, 'createCollection', AUTOMATIC);
    await insertMany(second, 0, 4);
    await insertMany(first, 4, 4);
    expect(await numbers(first)).toEqual(upTo(8));
    expect(await numbers(second)).toEqual(upTo(8));
    const { id } = await tabOf(first);
    expect(await tabOf(second)).toMatchObject({ leads: false, leader: id, link: link === 'auto' ? 'ports' : link });
  });

  test('the leader crashes: the next one leads, and nothing is lost or there twice', async () => {
    const leader = await openTab();
    const followers = [await openTab({ link }), await openTab({ link })] as const;
    await call(leader, 'createCollection', AUTOMATIC);
    await insertMany(leader, 0, 4);
    const inserts = [insertMany(followers[0], 4, 80), insertMany(followers[1], 84, 80)];
    const session = await context.newCDPSession(leader);
    const crashed = new Promise<void>((resolve) => leader.once('crash', () => resolve()));
    session.send('Page.crash').catch(() => undefined);
    await crashed;
    const keys = (await Promise.all(inserts)).flat();
    expect(new Set(keys).size).toBe(160);
    expect(await numbers(followers[0])).toEqual(upTo(164));
    const leads = await Promise.all(followers.map(async (page) => (await tabOf(page)).leads));
    expect(leads.filter((leads) => leads)).toHaveLength(1);
  });

  test('a leader that is silent while a call waits is deposed, and goes on as a follower', async () => {
    const leader = await openTab();
    const follower = await openTab({ link });
    await call(leader, 'createCollection', AUTOMATIC);
    const { id } = await tabOf(leader);
    const own = insertMany(leader, 0, 40);
    for (const lock of [`elanus:shared:tab:${id}`, await engineLock(leader)]) {
      await reach(follower, { lock, silentMs: 12_000 });
    }
    const keys = [...(await insertMany(follower, 40, 40)), ...(await own)];
    expect(await tabOf(follower)).toMatchObject({ leads: true });
    expect(new Set(keys).size).toBe(80);
    await expect.poll(async () => (await tabOf(leader)).leads, { timeout: 20_000 }).toBe(false);
    expect(await numbers(leader)).toEqual(upTo(80));
    expect(await numbers(follower)).toEqual(upTo(80));
  });

  test('the engine worker dies: its tab starts another', async () => {
    const leader = await openTab();
    const follower = await openTab({ link });
    await call(leader, 'createCollection', AUTOMATIC);
    await insertMany(leader, 0, 4);
    const inserts = [insertMany(leader, 4, 40), insertMany(follower, 44, 40)];
    await reach(follower, { lock: await engineLock(leader), ends: true });
    const keys = (await Promise.all(inserts)).flat();
    expect(new Set(keys).size).toBe(80);
    expect(await numbers(leader)).toEqual(upTo(84));
    expect(await numbers(follower)).toEqual(upTo(84));
  });

  test('a write whose answer is lost with its engine is applied once', async () => {
    const leader = await openTab();
    const follower = await openTab({ link });
    await call(leader, 'createCollection', AUTOMATIC);
    await leader.evaluate(() => {
      const here = globalThis as unknown as PageGlobals;
      here.heard = [];
      void here.db.subscribe(({ kind }) => here.heard.push(kind));
    });
    const lock = await engineLock(leader);
    await insertMany(follower, 0, 4);
    await reach(follower, { lock, mutes: true });
    const inserts = [insertMany(leader, 4, 4), insertMany(follower, 8, 4)];
    const committed = (): Promise<number> =>
      leader.evaluate(() => (globalThis as unknown as PageGlobals).heard.filter((kind) => kind === 'write').length);
    await expect.poll(committed).toBe(12);
    await reach(follower, { lock, ends: true });
    const keys = (await Promise.all(inserts)).flat();
    expect(new Set(keys).size).toBe(8);
    expect(await numbers(leader)).toEqual(upTo(12));
    expect(await committed()).toBe(12);
  });

  test('the tab worker of the leader ends: its page goes on, and so do the others', async () => {
    const leader = await openTab();
    const follower = await openTab({ link });
    await call(leader, 'createCollection', AUTOMATIC);
    await insertMany(leader, 0, 4);
    const inserts = insertMany(follower, 4, 40);
    await leader.evaluate(() => {
      for (const worker of (globalThis as unknown as PageGlobals).workers) worker.terminate();
    });
    await inserts;
    expect(await numbers(leader)).toEqual(upTo(44));
    expect(await numbers(follower)).toEqual(upTo(44));
    expect((await tabOf(leader)).id).not.toBe((await tabOf(follower)).id);
  });

  test('changes are heard in every tab, and a live search follows them over a takeover', async () => {
    const first = await openTab();
    const second = await openTab({ link });
    const third = await openTab({ link });
    await call(first, 'createCollection', AUTOMATIC);
    await second.evaluate(() => {
      const here = globalThis as unknown as PageGlobals;
      here.heard = [];
      here.shown = [];
      void here.db.subscribe(({ kind, count, keys }) => here.heard.push(`${kind} ${count} ${keys?.length}`));
      const body = { collectionName: 'c', data: [[1, 0]], limit: 100, outputFields: ['n'] };
      void here.db.liveSearch(body, (hits) => here.shown.push(hits[0]?.length ?? 0));
    });
    const told = (what: 'heard' | 'shown'): Promise<unknown[]> =>
      second.evaluate((what) => (globalThis as unknown as PageGlobals)[what], what);
    await insertMany(first, 0, 4);
    await insertMany(third, 4, 4);
    await expect.poll(() => told('heard')).toEqual(Array.from({ length: 8 }, () => 'write 1 1'));
    await expect.poll(async () => (await told('shown')).at(-1)).toBe(8);
    await call(first, 'close');
    await insertMany(third, 8, 4);
    await expect.poll(async () => (await told('shown')).at(-1)).toBe(12);
    expect(await told('heard')).toContain('unknown 0 undefined');
  });

  test("a page's own worker opens it too", async () => {
    const first = await openTab({ link });
    await call(first, 'createCollection', AUTOMATIC);
    await first.evaluate(() => {
      const here = globalThis as unknown as PageGlobals;
      const { Worker } = globalThis as unknown as { Worker: new (url: string, options: object) => WorkerLike };
      const worker = new Worker('/opener-worker.js', { type: 'module' });
      here.askWorker = (method, body) =>
        new Promise((resolve) => {
          worker.addEventListener('message', ({ data }) => resolve(data), { once: true });
          worker.postMessage(['shared', method, body]);
        });
    });
    const ask = (method: string, body?: unknown): Promise<unknown> =>
      first.evaluate(([method, body]) => (globalThis as unknown as PageGlobals).askWorker(method as string, body), [
        method,
        body,
      ] as const);
    await ask('insert', { collectionName: 'c', data: [{ vector: [1, 0], n: 0 }] });
    expect(await numbers(first)).toEqual([0]);
    const { tab } = (await ask('info')) as { tab: TabInfo };
    expect(tab).toMatchObject({ leads: false, leader: (await tabOf(first)).id, link: 'broadcast' });
    await call(first, 'close');
    await ask('insert', { collectionName: 'c', data: [{ vector: [1, 1], n: 1 }] });
    expect(await ask('count', { collectionName: 'c' })).toBe(2);
  });
});

test('without Web Locks each tab has an engine, and the terms of the log let one write at a time', async () => {
  const insecure = await serveEnginePage(NO_LOCKS);
  try {
    await context.addInitScript(NO_LOCKS);
    const first = await openTab({}, insecure.origin);
    const second = await openTab({}, insecure.origin);
    await call(first, 'createCollection', AUTOMATIC);
    const keys = (await Promise.all([insertMany(first, 0, 12), insertMany(second, 12, 12)])).flat();
    expect(new Set(keys).size).toBe(24);
    expect(await numbers(first)).toEqual(upTo(24));
    expect(await numbers(second)).toEqual(upTo(24));
    expect(await tabOf(first)).toMatchObject({ leads: true, link: 'own' });
    expect(await tabOf(second)).toMatchObject({ leads: true, link: 'own' });
  } finally {
    await insecure.close();
  }
});
