import { parseJson } from '../base/json.ts';
import { Lru } from '../base/lru.ts';
import type { Column } from '../model/column.ts';
import { FILTER_JSON_BYTES_MAX } from '../model/limits.ts';

export type JsonPath = readonly (string | number)[];

/** What lies at one path of each document of a column, as far as it was looked at. */
interface Extracted {
  readonly values: unknown[];
  /** The paths of the same column, of which this is one. */
  readonly siblings: Map<string, Extracted>;
  readonly key: string;
  /** An estimate. */
  bytes: number;
}

/**
 * Values that filters have looked at, so that the next one need not parse the documents again. They are found by the
 * column's list of texts, which only ever grows at its end, and are gone with it; together they stay within a bound.
 */
const columns = new WeakMap<readonly string[], Map<string, Extracted>>();
const recent = new Lru<Extracted, true>(FILTER_JSON_BYTES_MAX, ({ siblings, key }) => siblings.delete(key));

/** About how many bytes the kept values take, of all columns together. */
export function filterCacheBytes(): number {
  return recent.size;
}

/** Forgets all of them: the next filter parses its documents again. */
export function dropFilterCache(): void {
  for (const { siblings, key } of recent.keys()) siblings.delete(key);
  recent.clear();
}

/**
 * What lies at each of several paths in the first `count` documents of a JSON column: one list a path, `undefined`
 * where a document is null or has nothing there. Each document is parsed at most once for all paths. A list may be
 * longer than `count`.
 */
export function valuesAtPaths(column: Column, paths: readonly JsonPath[], count: number): (readonly unknown[])[] {
  const texts = column.values as readonly string[];
  const siblings = columns.get(texts) ?? new Map<string, Extracted>();
  columns.set(texts, siblings);
  const found = paths.map((path) => {
    const key = JSON.stringify(path);
    return siblings.get(key) ?? { values: [], siblings, key, bytes: 0 };
  });
  let row = found.reduce((first, { values }) => Math.min(first, values.length), count);
  for (; row < count; row++) {
    const isNull = column.valid !== undefined && column.valid[row] === 0;
    const text = texts[row] ?? 'null';
    const document = isNull ? undefined : parseJson(text);
    for (let at = 0; at < found.length; at++) {
      const extracted = found[at] as Extracted;
      if (extracted.values.length > row) continue;
      const value = follow(document, paths[at] as JsonPath);
      extracted.values.push(value);
      extracted.bytes += bytesOf(value, text);
    }
  }
  for (const extracted of found) keep(extracted);
  return found.map(({ values }) => values);
}

/** What is larger than the bound by itself serves this filter only. */
function keep(extracted: Extracted): void {
  const { siblings, key } = extracted;
  if (recent.set(extracted, true, extracted.bytes)) siblings.set(key, extracted);
  else siblings.delete(key);
}

/** A slot and a boxed number; a string's characters; for objects a multiple of the text that they were parsed from. */
function bytesOf(value: unknown, text: string): number {
  if (typeof value === 'string') return 32 + 2 * value.length;
  return typeof value === 'object' && value !== null ? 32 + 8 * text.length : 24;
}

/** What lies at a path of a document; `undefined` if nothing does. A number is an index of an array. */
function follow(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = typeof step === 'number' ? value[step] : undefined;
    else value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }
  return value;
}
