import type { DataSet } from '../data-set.ts';
import type { Effort } from '../measure.ts';
import type { System } from '../system.ts';
import { SYSTEMS } from '../system-list.ts';
import { NATIVE } from '../systems/native.ts';
import { ChromiumHost, PageBench } from './chromium.ts';
import { loadInChromium } from './chromium-loads.ts';
import { WorkerdHost } from './workerd.ts';

/** Where systems run. Native hnswlib takes its turns in each of them, as what all are compared with. */
export interface Host {
  readonly systems: readonly System[];
  /** Sets that are measured unless others are named; all where there are none. */
  readonly dataNames?: readonly string[];
  /** Times how long saved indexes take to open in a page. */
  readonly loadInPage?: Effort['loadInPage'];
  /** Called before a set is measured. */
  use(set: DataSet): Promise<void>;
  close(): Promise<void>;
}

export const HOST_NAMES = ['node', 'chromium', 'workerd'] as const;
export type HostName = (typeof HOST_NAMES)[number];

export async function startHost(name: HostName): Promise<Host> {
  if (name === 'node') return await nodeHost();
  if (name === 'chromium') return await chromiumHost();
  const workerd = await WorkerdHost.start();
  return {
    systems: [NATIVE, ...workerd.systems],
    // What an isolate's 128 MB have room for.
    dataNames: ['siftsmall', 'glove', 'bge', 'word2vec'],
    use: (set) => workerd.use(set),
    close: () => workerd.close(),
  };
}

/** Everything, with loads in a page where there is a browser. */
async function nodeHost(): Promise<Host> {
  const chromium = await ChromiumHost.start().catch((error: unknown) => {
    console.log(`No loads in Chromium: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  const host = { systems: SYSTEMS, use: async () => {}, close: async () => chromium?.close() };
  if (chromium === undefined) return host;
  return { ...host, loadInPage: (set, saved, loads) => loadInChromium(chromium, set, saved, loads) };
}

async function chromiumHost(): Promise<Host> {
  const chromium = await ChromiumHost.start();
  const page = new PageBench(chromium, await chromium.page());
  return {
    systems: [NATIVE, ...page.systems],
    dataNames: ['siftsmall', 'glove', 'bge', 'synthetic'],
    use: (set) => page.use(set),
    close: () => chromium.close(),
  };
}
