import type { Page } from 'playwright';
import type { BrowserDatabase } from '../../browser/index.ts';
import type { LinkChoice } from '../../browser/protocol.ts';
import type { KillableBrowser } from '../node/chromium.ts';
import { keepWorkers } from '../node/engine-page.ts';
import { type Contents, Violation } from './model.ts';
import { type Call, CREATE_CALLS, fillerOf, vectorOf } from './operation.ts';
import { rendererProcess } from './renderer-process.ts';

/** What the page has, and what the tests add to it. */
interface PageGlobals {
  readonly document: { readonly title: string };
  readonly elanus: { openHere(name: string, options: object): Promise<BrowserDatabase> };
  database: BrowserDatabase & Record<string, (body: unknown) => Promise<unknown>>;
  workers: { terminate(): void }[];
}

/** Rows as the page sends them: key or row number, batch, the two numbers of the vector, and how long the filler is. */
type Row = readonly [key: number, batch: number, x: number, y: number, filler: number];

/** A tab that has the database open. Calls that are under way when it dies end with an error. */
export class Tab {
  readonly page: Page;
  /** The process that runs it. */
  readonly process: number;
  #lose: (error: Error) => void = () => undefined;
  #lost: Promise<never> = Promise.resolve() as Promise<never>;

  constructor(page: Page, process: number) {
    this.page = page;
    this.process = process;
    this.#begin();
  }

  /** A tab that shows the engine's page; nothing is open in it yet. */
  static async show(chrome: KillableBrowser, origin: string): Promise<Tab> {
    const page = await chrome.page();
    await page.addInitScript(keepWorkers);
    await page.goto(origin);
    await page.waitForFunction(() => (globalThis as unknown as PageGlobals).document.title === 'ready');
    return new Tab(page, await rendererProcess(chrome.browser, page));
  }

  /** Opens the database in this tab, for the first time or again. */
  async open(name: string, link: LinkChoice = 'auto'): Promise<void> {
    await this.#alive(
      this.page.evaluate(
        async ([name, link]) => {
          const here = globalThis as unknown as PageGlobals;
          here.database = (await here.elanus.openHere(name, { link })) as PageGlobals['database'];
        },
        [name, link] as const,
      ),
    );
    for (const call of CREATE_CALLS) await this.call(call);
  }

  async close(): Promise<void> {
    await this.#alive(this.page.evaluate(() => (globalThis as unknown as PageGlobals).database.close()));
  }

  /** Whether the browser lets this tab write into the database's store, past the engine. */
  mayUseStore(): Promise<boolean> {
    return this.#alive(this.page.evaluate(writesIntoStore));
  }

  /** Whether its own engine answers it. */
  async leads(): Promise<boolean> {
    const info = await this.#alive(this.page.evaluate(() => (globalThis as unknown as PageGlobals).database.info()));
    return info.tab?.leads === true;
  }

  call({ method, body }: Call): Promise<unknown> {
    return this.#alive(
      this.page.evaluate(([method, body]) => (globalThis as unknown as PageGlobals).database[method]?.(body), [
        method,
        body,
      ] as const),
    );
  }

  /** A call, and when the page began it and had its answer, in milliseconds since 1970. */
  timed({ method, body }: Call): Promise<{ readonly sent: number; readonly acknowledged: number }> {
    return this.#alive(
      this.page.evaluate(
        async ([method, body]) => {
          const now = (): number => performance.timeOrigin + performance.now();
          const sent = now();
          await (globalThis as unknown as PageGlobals).database[method]?.(body);
          return { sent, acknowledged: now() };
        },
        [method, body] as const,
      ),
    );
  }

  /** Batches of the rows with these keys, in the order of the keys; absent ones are left out. */
  async batches(keys: readonly number[]): Promise<number[]> {
    const body = {
      collectionName: 'keyed',
      filter: `id in [${keys}]`,
      outputFields: ['batch'],
      limit: keys.length,
      // A tab that has lost the lead and does not know it yet must not show what was.
      consistencyLevel: 'Strong',
    };
    const rows = (await this.call({ method: 'query', body })) as readonly { readonly batch: number }[];
    return rows.map(({ batch }) => batch);
  }

  /** All that is there, by strong reads; throws if rows, counts and search differ, or a row is not as it was written. */
  async contents(): Promise<Contents> {
    const [keyed, automatic] = await Promise.all([this.#rows('keyed', 'id'), this.#rows('automatic', 'row')]);
    for (const [, batch, , , filler] of automatic) {
      if (filler !== fillerOf(batch).length) throw new Violation(`A row of batch ${batch} has ${filler} of its bytes.`);
    }
    for (const [key, batch, x, y] of [...keyed, ...automatic]) {
      const [expectedX, expectedY] = vectorOf(key, batch);
      if (x !== expectedX || y !== expectedY)
        throw new Violation(`Row ${key} of batch ${batch} has the vector ${x}, ${y}.`);
    }
    const batches = new Map<number, number>();
    for (const [, batch] of automatic) batches.set(batch, (batches.get(batch) ?? 0) + 1);
    return { keyed: new Map(keyed.map(([key, batch]) => [key, batch])), automatic: batches };
  }

  /** Ends every worker of the page at once, from outside of them: they run no statement more. */
  async terminateWorkers(): Promise<void> {
    await this.page.evaluate(() => {
      for (const worker of (globalThis as unknown as PageGlobals).workers.splice(0)) worker.terminate();
    });
    this.lose('its workers were terminated');
  }

  /** Ends the engine worker alone, which the tab worker of the leading tab has started; needs `ENDS_ENGINE` in it. */
  async terminateEngine(): Promise<void> {
    await this.page.evaluate(() => new BroadcastChannel('end-engine').postMessage(0));
  }

  /** As a person closes it. */
  async closePage(): Promise<void> {
    await this.page.close();
    this.lose('it was closed');
  }

  /** Ends the renderer: as a crash of its code does, or as the system ends a process. */
  async crash(how: 'crash' | 'SIGKILL'): Promise<void> {
    const crashed = new Promise<void>((resolve) => this.page.once('crash', () => resolve()));
    if (how === 'SIGKILL') process.kill(this.process, 'SIGKILL');
    else {
      const session = await this.page.context().newCDPSession(this.page);
      session.send('Page.crash').catch(() => undefined);
    }
    await crashed;
    this.lose('its renderer died');
  }

  /** Ends the calls under way, which will never be answered. */
  lose(why: string): void {
    this.#lose(new Error(`The tab is gone: ${why}.`));
    this.#begin();
  }

  #begin(): void {
    this.#lost = new Promise((_, reject) => {
      this.#lose = reject;
    });
    this.#lost.catch(() => undefined);
  }

  async #rows(collectionName: string, key: string): Promise<readonly Row[]> {
    const { rows, count, hits } = await this.#alive(this.page.evaluate(readAll, [collectionName, key] as const));
    if (rows.length !== count)
      throw new Violation(`${collectionName}: ${rows.length} rows are read, ${count} are counted.`);
    const expected = Math.min(rows.length, 1000);
    if (hits !== expected)
      throw new Violation(`${collectionName}: a search finds ${hits} rows instead of ${expected}.`);
    return rows;
  }

  #alive<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => undefined);
    return Promise.race([answer, this.#lost]);
  }
}

/** Runs in each worker before its own code: a worker that has started another one can be told to end it. */
export const ENDS_ENGINE = `
  if (globalThis.Worker !== undefined) {
    const started = [];
    globalThis.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        started.push(this);
      }
    };
    new BroadcastChannel('end-engine').onmessage = () => {
      for (const worker of started.splice(0)) worker.terminate();
    };
  }`;

/** What a page needs of IndexedDB for that. */
interface RawDatabase {
  transaction(
    stores: readonly string[],
    mode: 'readwrite',
  ): { objectStore(name: string): { count(): { onsuccess: () => void } } };
  readonly objectStoreNames: Iterable<string>;
  close(): void;
}

/** Runs in the page: whether a transaction that may write begins within some seconds. */
async function writesIntoStore(): Promise<boolean> {
  const { indexedDB } = globalThis as unknown as {
    indexedDB: {
      databases(): Promise<{ readonly name: string }[]>;
      open(name: string): { onsuccess: () => void; readonly result: RawDatabase };
    };
  };
  const all = (await indexedDB.databases()).map(
    ({ name }) =>
      new Promise<boolean>((resolve) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => {
          const database = opening.result;
          const stores = [...database.objectStoreNames];
          const asked = database
            .transaction(stores, 'readwrite')
            .objectStore(stores[0] ?? '')
            .count();
          asked.onsuccess = () => resolve(true);
          database.close();
        };
      }),
  );
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3_000));
  return Promise.race([Promise.all(all).then(() => true), late]);
}

/** Runs in the page: reads a collection page by page, counts it, and searches it. */
async function readAll([collectionName, key]: readonly [string, string]): Promise<{
  readonly rows: Row[];
  readonly count: number;
  readonly hits: number;
}> {
  const { database } = globalThis as unknown as PageGlobals;
  const consistencyLevel = 'Strong' as const;
  const rows: Row[] = [];
  const outputFields = ['id', key, 'batch', 'vector', 'filler'];
  for (let last = -1, isMore = true; isMore; ) {
    const filter = `id > ${last}`;
    const found = await database.query({ collectionName, filter, limit: 10_000, outputFields, consistencyLevel });
    for (const row of found) {
      const [x = Number.NaN, y = Number.NaN] = row['vector'] as unknown as number[];
      rows.push([Number(row[key]), Number(row['batch']), x, y, String(row['filler'] ?? '').length]);
      last = Math.max(last, Number(row['id']));
    }
    isMore = found.length === 10_000;
  }
  const count = await database.count({ collectionName, consistencyLevel });
  const [hits] = await database.search({ collectionName, data: [[1, 1]], limit: 1000, consistencyLevel });
  return { rows, count, hits: new Set(hits?.map(({ id }) => id)).size };
}
