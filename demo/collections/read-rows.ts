import type { Elanus, Row } from 'elanus/browser';
import type { ShelvedCollection } from './shelf.ts';

/**
 * All rows of a collection in the order of their keys, page by page: each page begins after the last key of the one
 * before, so that memory holds one page, however many rows there are. Rows that are written meanwhile may or may not be
 * among them.
 */
export async function* readRows(
  db: Elanus,
  { name, profile }: ShelvedCollection,
  options: { readonly fields: readonly string[]; readonly pageRows: number; readonly signal: AbortSignal },
): AsyncGenerator<Row[]> {
  const { fields, pageRows, signal } = options;
  let last: unknown;
  for (;;) {
    const after = last === undefined ? {} : { filter: `${profile.key} > {last}`, exprParams: { last } };
    const rows = await db.query({ collectionName: name, limit: pageRows, outputFields: fields, ...after }, { signal });
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    last = rows.at(-1)?.[profile.key];
  }
}
