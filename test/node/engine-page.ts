import type { BrowserContext, Page } from 'playwright';
import type { BrowserDatabase, OpenOptions } from '../../browser/index.ts';

/** What the page of `serveEnginePage` has; `db` is the database that a test has opened there. */
export interface EngineWindow {
  readonly document: { readonly title: string };
  readonly elanus: {
    openHere(name: string, options?: Partial<OpenOptions>): Promise<BrowserDatabase>;
  };
  db: BrowserDatabase;
}

/** What came of a call in a page: errors do not cross from there. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly code: string; readonly message: string; readonly outcome: unknown };

/** Opens the engine's page in a new tab. */
export async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => (globalThis as unknown as EngineWindow).document.title === 'ready');
  return page;
}

/** Opens the database in the page; gives what `info()` says of it. */
export function openDatabase(
  page: Page,
  name: string,
  options: Partial<OpenOptions> = {},
): Promise<Awaited<ReturnType<BrowserDatabase['info']>>> {
  return page.evaluate(
    async ([name, options]) => {
      const here = globalThis as unknown as EngineWindow;
      here.db = await here.elanus.openHere(name, options);
      return here.db.info();
    },
    [name, options] as const,
  );
}

/** Calls a method of the page's database, and gives its value or what its error says. It waits 20 seconds at most. */
export function call(page: Page, method: keyof BrowserDatabase, body: object = {}): Promise<Outcome> {
  return page.evaluate(
    async ([method, body]) => {
      const { db } = globalThis as unknown as EngineWindow;
      const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it hangs')), 20_000));
      try {
        const run = db[method] as unknown as (body: object) => Promise<unknown>;
        return { value: await Promise.race([run.call(db, body), late]) };
      } catch (error) {
        const { code, message, details } = error as { code: string; message: string; details?: { outcome?: unknown } };
        return { code: String(code), message, outcome: details?.outcome };
      }
    },
    [method, body] as const,
  );
}

/** An init script: the page keeps each worker that it starts in `workers`, so that a test can end it. */
export function keepWorkers(): void {
  const here = globalThis as unknown as { workers: unknown[]; Worker: new (...given: never[]) => object };
  here.workers = [];
  here.Worker = class extends here.Worker {
    constructor(...given: never[]) {
      super(...given);
      here.workers.push(this);
    }
  };
}
