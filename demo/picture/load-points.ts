import type { Elanus } from 'elanus/browser';
import { VECTOR_FIELD } from '../collections/profile.ts';
import { readRows } from '../collections/read-rows.ts';
import type { ShelvedCollection } from '../collections/shelf.ts';
import { titleOf } from '../search/results.ts';

/** Points of the picture; more would be a cloud. */
export const POINTS_MAX = 10_000;
/** Rows with their vectors read at a time: about a megabyte. */
const PAGE_ROWS = 500;

/** The points of a picture, without their places. */
export interface Points {
  readonly keys: readonly (string | number)[];
  readonly titles: readonly string[];
  /** The value of the facet that colours them; empty if there is none. */
  readonly groups: readonly string[];
}

/**
 * Reads at most `POINTS_MAX` rows of a collection, in the order of their keys, and hands their vectors on piece by
 * piece: the page holds the names alone.
 */
export async function loadPoints(
  db: Elanus,
  collection: ShelvedCollection,
  options: { readonly signal: AbortSignal; readonly onVectors: (vectors: Float32Array) => Promise<void> },
): Promise<Points> {
  const { profile, dimension } = collection;
  const group = groupFieldOf(collection);
  const fields = [profile.key, profile.title, profile.text, ...(group === undefined ? [] : [group]), VECTOR_FIELD];
  const keys: (string | number)[] = [];
  const titles: string[] = [];
  const groups: string[] = [];
  const pages = readRows(db, collection, { fields: [...new Set(fields)], pageRows: PAGE_ROWS, signal: options.signal });
  for await (const page of pages) {
    const rows = page.slice(0, POINTS_MAX - keys.length);
    const vectors = new Float32Array(rows.length * dimension);
    for (const [at, row] of rows.entries()) {
      vectors.set(row[VECTOR_FIELD] as Float32Array, at * dimension);
      keys.push(row[profile.key] as string | number);
      titles.push(titleOf(row, profile).slice(0, 200));
      groups.push(group === undefined ? '' : String(row[group] ?? ''));
    }
    await options.onVectors(vectors);
    if (keys.length >= POINTS_MAX) break;
  }
  return { keys, titles, groups };
}

/** The field that colours the points: the first facet that is a short list. */
export function groupFieldOf({ profile }: ShelvedCollection): string | undefined {
  return profile.facets.find((facet) => facet.kind === 'choice')?.field;
}
