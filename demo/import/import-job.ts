import { type Database, ElanusError, type Embedder } from 'elanus/browser';
import { VECTOR_FIELD } from '../collections/profile.ts';
import type { TextClient } from '../text/text-client.ts';
import type { ImportPlan } from './plan.ts';
import type { FileFacts } from './scan.ts';

/** How far an import is. */
export interface ImportProgress {
  readonly rows: number;
  readonly total: number;
  /** Of the last seconds. */
  readonly rowsPerSecond: number;
}

export interface ImportJob {
  readonly file: File;
  readonly facts: FileFacts;
  readonly plan: ImportPlan;
  /** Undefined if the vectors come with the file. */
  readonly embedder: Embedder | undefined;
}

/** Rows embedded and inserted at a time: progress is shown, and a stop heeded, between two. */
const BATCH = 200;
/** The rate is that of this long a time. */
const RATE_WINDOW_MS = 3000;

/**
 * Makes the collection and fills it, batch by batch, while the worker reads the next one. Rows go in under their keys,
 * so that a batch that is sent twice is there once.
 *
 * Rejects with `aborted` after `signal`; whole batches are in the collection then, which `details.rows` counts. It is
 * for the caller to keep or to drop them.
 */
export async function importFile(
  db: Database,
  worker: TextClient,
  job: ImportJob,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: ImportProgress) => void },
): Promise<void> {
  const { plan, facts, embedder } = job;
  await db.createCollection(plan.body);
  const collection = db.collection(plan.collectionName, {
    vectorField: VECTOR_FIELD,
    textField: plan.profile.text,
    ...(embedder === undefined ? {} : { embedder }),
  });
  const reader = await worker.beginRows(job.file, facts.format, plan.columns, plan.rowNumber);
  const rate = new Rate();
  let rows = 0;
  try {
    let next = worker.nextRows(reader, BATCH);
    for (let read = await next; read !== undefined; read = await next) {
      if (options.signal.aborted) throw stopped(rows);
      next = worker.nextRows(reader, BATCH);
      // Looked at when its turn comes; an import that fails first must not leave it unheard.
      next.catch(() => undefined);
      await collection.upsert(read.rows, { signal: options.signal });
      rows += read.rows.length;
      options.onProgress({ rows, total: facts.rows, rowsPerSecond: rate.after(rows) });
    }
    await collection.flush();
  } catch (error) {
    if (options.signal.aborted) throw stopped(rows, error);
    throw error;
  } finally {
    await worker.endRows(reader);
  }
}

function stopped(rows: number, cause?: unknown): ElanusError {
  return new ElanusError('aborted', `Stopped after ${rows} rows.`, { cause, details: { rows } });
}

/** Rows a second, of the last moments. */
class Rate {
  readonly #seen: { readonly at: number; readonly rows: number }[] = [{ at: performance.now(), rows: 0 }];

  after(rows: number): number {
    const now = performance.now();
    this.#seen.push({ at: now, rows });
    while (this.#seen.length > 2 && now - (this.#seen[1]?.at ?? now) > RATE_WINDOW_MS) this.#seen.shift();
    const first = this.#seen[0] ?? { at: now, rows };
    return now === first.at ? 0 : ((rows - first.rows) * 1000) / (now - first.at);
  }
}
