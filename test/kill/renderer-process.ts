import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright';

/**
 * The process that runs a page; on Linux. The protocol lists processes and pages, and does not say which belongs to
 * which: the page starts a worker, and one process has a thread more.
 */
export async function rendererProcess(browser: Browser, page: Page): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  try {
    for (let attempt = 0; attempt < 50; attempt++) {
      const before = await workerThreads(session);
      const worker = await page.evaluateHandle(startIdleWorker);
      const after = await workerThreads(session);
      await worker.evaluate((worker) => worker.terminate());
      await worker.dispose();
      const grown = [...after].filter(([id, threads]) => threads > (before.get(id) ?? 0));
      if (grown.length === 1 && grown[0] !== undefined) return grown[0][0];
      await sleep(50);
    }
  } finally {
    await session.detach();
  }
  throw new Error('No process, or more than one, had a worker more when the page had started one.');
}

/** A worker, by the page's types. */
interface IdleWorker {
  addEventListener(event: 'message', listener: (event: unknown) => void, options: { once: true }): void;
  terminate(): void;
}

/** Runs in the page; resolves when the worker's thread runs. */
async function startIdleWorker(): Promise<IdleWorker> {
  const { Worker } = globalThis as unknown as { Worker: new (url: string) => IdleWorker };
  const url = URL.createObjectURL(new Blob(['postMessage(0)'], { type: 'text/javascript' }));
  const worker = new Worker(url);
  await new Promise((resolve) => worker.addEventListener('message', resolve, { once: true }));
  URL.revokeObjectURL(url);
  return worker;
}

/** How many threads of dedicated workers each renderer has. */
async function workerThreads(session: CDPSession): Promise<Map<number, number>> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  return new Map(await Promise.all(renderers.map(async ({ id }) => [id, await threadsOf(id)] as const)));
}

async function threadsOf(process: number): Promise<number> {
  const folder = `/proc/${process}/task`;
  const threads = await readdir(folder).catch(() => []);
  const names = await Promise.all(
    threads.map((thread) => readFile(`${folder}/${thread}/comm`, 'utf8').catch(() => '')),
  );
  return names.filter((name) => name.startsWith('DedicatedWorker')).length;
}
