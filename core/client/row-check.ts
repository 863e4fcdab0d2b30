import { codeOf, ElanusError } from '../base/error.ts';
import type { CallOptions, CollectionDescription, InsertBody, RowInput } from '../elanus.ts';
import { invalid } from '../model/reject.ts';
import type { Part } from './text-rows.ts';

/** A database that can say whether rows could be written, and writes none. */
export interface RowChecker {
  /** Rejects as `insert`, or with `mode: 'upsert'` as `upsert`, would for the rows themselves. */
  checkRows(body: InsertBody & { readonly mode: 'insert' | 'upsert' }, options?: CallOptions): Promise<void>;
}

/** What is to be checked, and by whom. */
export interface RowsToCheck {
  readonly database: Partial<RowChecker>;
  readonly place: { readonly collectionName: string; readonly dbName?: string };
  readonly mode: 'insert' | 'upsert';
  readonly rows: readonly RowInput[];
  readonly parts: readonly Part[];
  readonly description: CollectionDescription | undefined;
  /** Stands for the vectors that are still to be made. */
  readonly vector: { readonly field: string; readonly dimension: number };
}

/**
 * Refuses rows that could not be written, before anything is embedded for them: that takes long, and may cost money.
 * Over HTTP only the keys are looked at; an edge says the rest when the rows come.
 */
export async function checkRows(check: RowsToCheck, options: CallOptions): Promise<void> {
  const { database, place, mode, rows, parts, vector } = check;
  if (mode === 'upsert') refuseDuplicates(check);
  if (database.checkRows === undefined) return;
  const standIn = new Float32Array(vector.dimension);
  for (const { start, end } of parts) {
    const data = rows
      .slice(start, end)
      .map((row) => ((row[vector.field] ?? null) === null ? { ...row, [vector.field]: standIn } : row));
    try {
      await database.checkRows({ ...place, data, mode }, options);
    } catch (error) {
      if (codeOf(error) === 'unsupported') return;
      throw numbered(error, start);
    }
  }
}

/** Each part is a request of its own, and the engine sees no duplicates between them. */
function refuseDuplicates({ rows, description }: RowsToCheck): void {
  const field = description?.fields.find(({ primaryKey }) => primaryKey)?.name;
  if (field === undefined) return;
  const seen = new Set<string>();
  for (const [row, values] of rows.entries()) {
    const key = String(values[field]);
    if (seen.has(key)) {
      throw invalid('duplicate primary keys are not allowed in the same batch', { details: { field, row, key } });
    }
    seen.add(key);
  }
}

/** The row as the caller counts. */
function numbered(error: unknown, start: number): unknown {
  const { code, message, milvusCode, details } = error as ElanusError;
  const row = details?.['row'];
  if (typeof row !== 'number' || start === 0) return error;
  return new ElanusError(code, message, { milvusCode, details: { ...details, row: row + start }, cause: error });
}
