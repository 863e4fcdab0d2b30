/// <reference types="node" />
/**
 * Makes `products.json.gz` and `held-out.json` from the set `products-4k`. They are committed; this runs only if the
 * source changes: `ELANUS_DATA=<folder> node demo/data/make.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ProductColumns } from './products.ts';

/** Whole sentences up to this many characters are kept of a description (always at least one). */
const DESCRIPTION_LENGTH_MAX = 300;
/** A heading is a fair query for its own product if at most this share of its words are in the product's title. */
const TITLE_SHARE_MAX = 0.6;

interface SourceRow {
  readonly id: number;
  readonly category: string;
  readonly price: number;
  readonly quantity: number;
  readonly average_rating: number;
  readonly title: string;
  readonly description: string;
}

/** A query and the product that it was written for. */
export interface HeldOut {
  readonly id: number;
  readonly query: string;
}

/** The source's rows as the demo ships them, and the headings that were taken off and can serve as queries. */
export function makeProducts(jsonLines: string): { readonly columns: ProductColumns; readonly heldOut: HeldOut[] } {
  const rows = jsonLines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SourceRow)
    .sort((a, b) => a.id - b.id);
  const categories = [...new Set(rows.map((row) => row.category))].sort();
  const parts = rows.map((row) => splitDescription(row.description));
  return {
    columns: {
      id: rows.map((row) => row.id),
      title: rows.map((row) => row.title.trim()),
      description: rows.map((row, index) => shorten(parts[index]?.body || row.title)),
      category: rows.map((row) => categories.indexOf(row.category)),
      price: rows.map((row) => row.price),
      quantity: rows.map((row) => row.quantity),
      rating: rows.map((row) => row.average_rating),
      categories: categories.map((name) => name.replaceAll('_and_', ' & ').replaceAll('_', ' ')),
    },
    heldOut: rows.flatMap((row, index) => {
      const query = parts[index]?.heading ?? '';
      return isFairQuery(query, row) ? [{ id: row.id, query }] : [];
    }),
  };
}

/** The Markdown heading, which mostly repeats the title, and the text without it and without a "Sure, here is …:". */
function splitDescription(description: string): { readonly heading: string; readonly body: string } {
  const text = description.replace(/^Sure[^\n]*:\s*\n+/, '');
  const heading = /^## ([^\n]*)(?:\n+|$)/.exec(text);
  return {
    heading: heading?.[1]?.trim() ?? '',
    body: text
      .slice(heading?.[0].length ?? 0)
      .replaceAll(/\s+/g, ' ')
      .trim(),
  };
}

function shorten(text: string): string {
  const [first = '', ...rest] = text.split(/(?<=[.!?])\s+/);
  let kept = first;
  for (const sentence of rest) {
    if (kept.length + 1 + sentence.length > DESCRIPTION_LENGTH_MAX) break;
    kept += ` ${sentence}`;
  }
  return kept;
}

/** Whether most of its words are in neither the title nor the name of the category, and there are two of these or more. */
function isFairQuery(query: string, row: SourceRow): boolean {
  const known = new Set([...words(row.title), ...words(row.category.replaceAll('_', ' ')), 'category']);
  const own = new Set(words(query));
  const others = [...own].filter((word) => !known.has(word));
  return others.length >= 2 && own.size - others.length <= own.size * TITLE_SHARE_MAX;
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

if (import.meta.main) {
  const folder = process.env['ELANUS_DATA'];
  if (folder === undefined) throw new Error('Set ELANUS_DATA to the folder that holds products-4k.');
  const source = gunzipSync(readFileSync(join(folder, 'products-4k', 'rows.jsonl.gz'))).toString('utf8');
  const { columns, heldOut } = makeProducts(source);
  const packed = gzipSync(JSON.stringify(columns), { level: 9 });
  writeFileSync(new URL('products.json.gz', import.meta.url), packed);
  writeFileSync(
    new URL('held-out.json', import.meta.url),
    `[\n${heldOut.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`,
  );
  process.stdout.write(
    `${columns.id.length} products in ${packed.length} bytes, ${heldOut.length} queries held out.\n`,
  );
}
