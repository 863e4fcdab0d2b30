import { codeOf, ElanusError, type ErrorDetails } from '../base/error.ts';
import type { CallOptions, Embedder, RowInput } from '../elanus.ts';
import { TextsOfCall, type TextsOptions } from './embed-texts.ts';
import type { Part, TextFields } from './text-rows.ts';

/** How far a write is: what an error says of it. */
export class WriteProgress {
  readonly rows: number;
  /** Rows acknowledged: the first of the call's. */
  written = 0;
  /** Rows sent and not acknowledged yet. */
  sending = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  /**
   * The error of a write that ended here. A stopped one says what is written; another says it if something is, and
   * counts its row in the rows of the call.
   *
   * @param isStopped whether the caller stopped the call
   */
  errorOf(error: unknown, isStopped: boolean): unknown {
    const { rows, written, sending } = this;
    if (!isStopped && written === 0) return error;
    const own = error as { details?: ErrorDetails; milvusCode?: number; message?: string };
    const known = own.details ?? {};
    const row = known['row'];
    const isOpen = sending > 0 && (known['outcome'] === 'unknown' || codeOf(error) === 'unavailable');
    const details = {
      ...known,
      ...(typeof row === 'number' && sending > 0 ? { row: row + written } : {}),
      outcome: isOpen ? 'unknown' : written === 0 ? 'not-written' : 'partly-written',
      rowsWritten: written,
    };
    const stand =
      written > 0
        ? `The first ${written} of ${rows} rows are written${isOpen ? `, of the next ${sending} it is unknown` : ', the others are not'}.`
        : isOpen
          ? `Whether the ${sending} rows that were sent are written is unknown.`
          : 'Nothing was written.';
    return new ElanusError(codeOf(error), `${own.message ?? String(error)} ${stand}`, {
      ...(own.milvusCode === undefined ? {} : { milvusCode: own.milvusCode }),
      details,
      cause: isStopped ? (error as Error).cause : error,
    });
  }
}

/** A write of rows of which some lack their vector. */
export interface TextWrite<Key> {
  readonly embedder: Embedder;
  readonly fields: TextFields;
  readonly parts: readonly Part[];
  readonly rows: readonly RowInput[];
  /** For each row its text, if that is to be embedded. */
  readonly texts: readonly (string | undefined)[];
  readonly progress: WriteProgress;
  /** One request: all of it is written or nothing. */
  readonly send: (rows: readonly RowInput[], options: CallOptions) => Promise<readonly Key[]>;
}

/**
 * Embeds and writes rows part by part, so that memory holds the vectors of one part, and what was written stays when
 * the call is stopped: always the first so many rows. Nothing is sent after the signal aborts.
 */
export async function writeTexts<Key>(write: TextWrite<Key>, options: TextsOptions): Promise<Key[]> {
  const { embedder, fields, parts, rows, texts, progress, send } = write;
  const { signal, onProgress } = options;
  const call = new TextsOfCall(
    embedder,
    texts.filter((text) => text !== undefined),
    options,
  );
  const keys: Key[] = [];
  for (const { start, end } of parts) {
    const wanted = texts.slice(start, end);
    const vectors = await call.embed(wanted.filter((text) => text !== undefined));
    let next = 0;
    const complete = rows
      .slice(start, end)
      .map((row, at) => (wanted[at] === undefined ? row : { ...row, [fields.vectorField]: vectors[next++] }));
    if (signal.aborted) throw signal.reason;
    progress.sending = complete.length;
    keys.push(...(await send(complete, { signal })));
    progress.written = end;
    progress.sending = 0;
    onProgress?.({ phase: 'insert', done: end, total: rows.length });
  }
  return keys;
}
