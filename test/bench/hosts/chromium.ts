import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { chromeLaunch } from '../../chrome.ts';
import { type PageServer, serveFolders } from '../../node/page-server.ts';
import type { DataSet } from '../data-set.ts';
import type { System } from '../system.ts';
import { EDGEVEC_KNOBS } from '../systems/edgevec-index.ts';
import { nameOf, PAGE_SETTINGS } from '../systems/elanus-index.ts';
import type { PageTask } from './page-worker.ts';
import { type Ask, remoteSystem } from './remote.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Chromium with an empty page, whose module workers run `page-worker.ts`. Closed by `close`. */
export class ChromiumHost {
  readonly #folder: string;
  readonly #server: PageServer;
  readonly #browser: Browser;

  constructor(folder: string, server: PageServer, browser: Browser) {
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
  }

  /** Rejects where there is no browser. */
  static async start(): Promise<ChromiumHost> {
    const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-page-'));
    await build({
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'browser',
      logLevel: 'error',
      entryPoints: [fileURLToPath(new URL('page-worker.ts', import.meta.url))],
      outfile: join(folder, 'worker.js'),
    });
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>bench</title>');
    const server = await serveFolders(
      folder,
      join(ROOT, 'dist'),
      fileURLToPath(new URL('../node_modules', import.meta.url)),
    );
    return new ChromiumHost(folder, server, await chromium.launch(chromeLaunch()));
  }

  /** Puts a file where pages can fetch it, and gives its path there. */
  serve(path: string, name: string): string {
    copyFileSync(path, join(this.#folder, name));
    return `/${name}`;
  }

  /** The same for numbers. */
  serveBytes(values: Float32Array, name: string): string {
    writeFileSync(join(this.#folder, name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return `/${name}`;
  }

  /** A page with storage of its own, which goes with it. */
  async page(): Promise<Page> {
    const context = await this.#browser.newContext();
    const page = await context.newPage();
    await page.goto(this.#server.origin);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Runs one task in a fresh worker of the page. */
export async function runTask(page: Page, task: PageTask): Promise<number> {
  return (await page.evaluate(scriptOf(task, 'fresh'))) as number;
}

/** The systems of the bench in one worker of one page. */
export class PageBench {
  readonly systems: readonly System[];
  readonly #host: ChromiumHost;
  readonly #page: Page;

  constructor(host: ChromiumHost, page: Page) {
    this.#host = host;
    this.#page = page;
    const ask: Ask = (request) => page.evaluate(scriptOf({ task: 'ask', request }, 'kept'));
    const systems = [
      ...PAGE_SETTINGS.map((setting) => ({ name: nameOf(setting) })),
      { name: 'hnswlib-wasm' },
      { name: 'edgevec', isSlow: true, knobs: EDGEVEC_KNOBS },
    ];
    this.systems = systems.map((system) => remoteSystem(system, ask));
  }

  /** Hands a set over: its indexes are built of it from now on. */
  async use({ name, metric, dimension, size, queryCount, rows, queries }: DataSet): Promise<void> {
    const words = { name, metric, dimension, size, queryCount };
    const paths = { rows: this.#host.serveBytes(rows, 'rows'), queries: this.#host.serveBytes(queries, 'queries') };
    await this.#page.evaluate(scriptOf({ task: 'use', words, ...paths }, 'kept'));
  }
}

/** A page's own text, which sends a task to a worker and waits for its reply. */
function scriptOf(task: PageTask, worker: 'fresh' | 'kept'): string {
  const sent = 'query' in task ? { ...task, query: Array.from(task.query) } : task;
  return `new Promise((resolve, reject) => {
    const task = ${JSON.stringify(sent)};
    if (task.query) task.query = Float32Array.from(task.query);
    const isFresh = ${worker === 'fresh'};
    const start = () => new Worker('/worker.js', { type: 'module' });
    const worker = isFresh ? start() : (window.kept ??= start());
    worker.onmessage = ({ data }) => {
      if (isFresh) worker.terminate();
      if (data.error === undefined) resolve(data.value);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  })`;
}
