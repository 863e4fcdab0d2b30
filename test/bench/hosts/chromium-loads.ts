import type { Page } from 'playwright';
import { type DataSet, unitVectors } from '../data-set.ts';
import type { SavedIndex } from '../system.ts';
import { nameOf, PAGE_SETTINGS, type Setting } from '../systems/elanus-index.ts';
import { HNSWLIB_WASM } from '../systems/hnswlib-wasm.ts';
import { type ChromiumHost, runTask } from './chromium.ts';
import type { PageTask } from './page-worker.ts';

/** Ours whose loads are timed: the build that Chromium runs, and the codes that may turn out best. */
const OURS: ReadonlyMap<string, Setting> = new Map(
  PAGE_SETTINGS.filter(({ type }) => type === 'HNSW_SQ8' || type === 'HNSW_SQ4')
    .flatMap((setting): Setting[] => [setting, { ...setting, exact: 'file' }])
    .map((setting) => [nameOf(setting), setting]),
);

/** Seconds from the bytes in IndexedDB to the first answer, by system, one a round. */
export type Loads = ReadonlyMap<string, readonly number[]>;

interface Opened {
  readonly system: string;
  readonly page: Page;
  readonly task: PageTask;
  readonly seconds: number[];
}

/**
 * Times how long saved indexes take to open in a page, from IndexedDB: ours and hnswlib-wasm's, interleaved. Each load is
 * in a fresh worker that has compiled its module, and each system's file lies in a page's storage of its own, since
 * hnswlib-wasm reads all of its files at once.
 */
export async function loadInChromium(
  host: ChromiumHost,
  set: DataSet,
  saved: ReadonlyMap<string, SavedIndex>,
  rounds: number,
): Promise<Loads> {
  const { metric, dimension, size } = set;
  const first = set.queries.slice(0, dimension);
  const opened: Opened[] = [];
  for (const [system, { path }] of saved) {
    const format = system === HNSWLIB_WASM.name ? 'hnswlib-wasm' : 'elanus';
    if (path === undefined || (format === 'elanus' && !OURS.has(system))) continue;
    const name = `saved-${opened.length}`;
    const page = await host.page();
    const vectors = OURS.get(system)?.exact === 'file' ? { vectors: host.serveBytes(set.rows, 'vectors') } : {};
    await runTask(page, { task: 'store', format, url: host.serve(path, name), name, ...vectors });
    const query = format === 'elanus' || metric === 'L2' ? first : unitVectors(first, dimension);
    const space: 'l2' | 'ip' = metric === 'L2' ? 'l2' : 'ip';
    const task: PageTask = { task: 'load', format, name, space, query: new Float32Array(query), size };
    opened.push({ system, page, task, seconds: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { page, task, seconds } of opened) seconds.push(await runTask(page, task));
  }
  for (const { page } of opened) await page.context().close();
  return new Map(opened.map(({ system, seconds }) => [system, seconds]));
}
