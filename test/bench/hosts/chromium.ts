import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { chromeLaunch } from '../../chrome.ts';
import { type PageServer, serveFolders } from '../../node/page-server.ts';
import type { PageTask } from './page-worker.ts';

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
    const server = await serveFolders(folder, join(ROOT, 'dist'));
    return new ChromiumHost(folder, server, await chromium.launch(chromeLaunch()));
  }

  /** Puts a file where pages can fetch it, and gives its path there. */
  serve(path: string, name: string): string {
    copyFileSync(path, join(this.#folder, name));
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
  const sent = 'query' in task ? { ...task, query: Array.from(task.query) } : task;
  const script = `new Promise((resolve, reject) => {
    const task = ${JSON.stringify(sent)};
    if (task.query) task.query = Float32Array.from(task.query);
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => {
      worker.terminate();
      if (data.error === undefined) resolve(data.value);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  })`;
  return (await page.evaluate(script)) as number;
}
