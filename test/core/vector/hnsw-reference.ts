import { compareDistances, type Metric } from '../../../core/model/metric.ts';
import type { HnswGraph } from '../../../core/vector/hnsw-graph.ts';
import { type ReferenceHit, referenceDistance } from './reference.ts';

/**
 * The search of HNSW (Malkov and Yashunin, 2016, algorithms 2 and 5) over a graph as plain data, as slow as it is plain:
 * greedy from the entry down to level 1, then with the `ef` nearest in view on level 0. Deleted rows are passed through
 * and do not count. Distances are in float64, hits nearest first.
 */
export function searchGraph(
  graph: HnswGraph,
  metric: Metric,
  query: ArrayLike<number>,
  { limit, ef }: { limit: number; ef: number },
): ReferenceHit[] {
  if (graph.size === 0) return [];
  const hit = (row: number): ReferenceHit => ({
    row,
    distance: referenceDistance(metric, query, vectorOf(graph, row)),
  });
  const isNearer = (a: ReferenceHit, b: ReferenceHit): boolean => compareDistances(metric, a.distance, b.distance) < 0;
  const lists = upperLists(graph);

  let nearest = hit(graph.entry);
  for (let level = graph.maxLevel; level > 0; level--) {
    for (let from = -1; from !== nearest.row; ) {
      from = nearest.row;
      for (const row of linksOf(graph, lists, from, level)) {
        const next = hit(row);
        if (isNearer(next, nearest)) nearest = next;
      }
    }
  }

  const deleted = new Set(graph.deleted);
  const met = new Set([nearest.row]);
  const sort = (hits: ReferenceHit[]): void => {
    hits.sort((a, b) => compareDistances(metric, a.distance, b.distance));
  };
  const waiting = [nearest];
  const found = deleted.has(nearest.row) ? [] : [nearest];
  for (let from = waiting.shift(); from !== undefined; from = waiting.shift()) {
    const last = found.at(-1);
    if (found.length >= ef && last !== undefined && isNearer(last, from)) break;
    for (const row of linksOf(graph, lists, from.row, 0)) {
      if (met.has(row)) continue;
      met.add(row);
      const next = hit(row);
      const farthest = found.at(-1);
      if (found.length >= ef && farthest !== undefined && !isNearer(next, farthest)) continue;
      waiting.push(next);
      if (!deleted.has(row)) found.push(next);
      sort(found);
      found.length = Math.min(found.length, ef);
    }
    sort(waiting);
  }
  return found.slice(0, limit);
}

function vectorOf({ vectors, dimension }: HnswGraph, row: number): Float32Array {
  return vectors.subarray(row * dimension, (row + 1) * dimension);
}

/** Which of the upper lists is the first of each row. */
function upperLists({ levels }: HnswGraph): number[] {
  let lists = 0;
  return Array.from(levels, (level) => {
    lists += level;
    return lists - level;
  });
}

function linksOf(graph: HnswGraph, lists: readonly number[], row: number, level: number): Uint32Array {
  const from = level === 0 ? graph.links0 : graph.upper;
  const start = level === 0 ? row * (1 + graph.maxM0) : ((lists[row] ?? 0) + level - 1) * (1 + graph.M);
  return from.subarray(start + 1, start + 1 + (from[start] ?? 0));
}
