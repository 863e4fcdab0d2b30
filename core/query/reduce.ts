import { compareUtf8 } from '../base/bytes.ts';
import type { Key } from '../model/column.ts';
import { compareDistances, type Metric } from '../model/metric.ts';

/** Orders primary keys: numbers by value, strings by their UTF-8 bytes. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The hits of several channels: each has its rows query after query, nearest first. */
export interface HitList {
  readonly counts: Uint32Array;
  readonly distances: Float32Array;
}

/** Where a merged hit comes from: the list, and its place in that list's rows. */
export interface MergedHit {
  readonly list: number;
  readonly at: number;
  readonly distance: number;
}

/** The nearest `limit` hits of each query over all lists. Keys are in one list each, so none appears twice. */
export function mergeHits(lists: readonly HitList[], queryCount: number, limit: number, metric: Metric): MergedHit[][] {
  const starts = lists.map(() => 0);
  return Array.from({ length: queryCount }, (_, query) => {
    const hits: MergedHit[] = [];
    for (const [list, { counts, distances }] of lists.entries()) {
      const start = starts[list] ?? 0;
      const end = start + (counts[query] ?? 0);
      for (let at = start; at < end; at++) hits.push({ list, at, distance: distances[at] ?? 0 });
      starts[list] = end;
    }
    hits.sort((a, b) => compareDistances(metric, a.distance, b.distance) || a.list - b.list || a.at - b.at);
    return hits.slice(0, limit);
  });
}
