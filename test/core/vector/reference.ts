import { compareDistances, type Metric } from '../../../core/model/metric.ts';

/** A row and its distance in float64. */
export interface ReferenceHit {
  readonly row: number;
  readonly distance: number;
}

/** The distance as its definition says, in float64. */
export function referenceDistance(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let squared = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let index = 0; index < a.length; index++) {
    const x = a[index]!;
    const y = b[index]!;
    dot += x * y;
    squared += (x - y) ** 2;
    lengthA += x * x;
    lengthB += y * y;
  }
  if (metric === 'L2') return squared;
  if (metric === 'IP') return dot;
  return lengthA === 0 || lengthB === 0 ? 0 : dot / Math.sqrt(lengthA * lengthB);
}

/**
 * How far float32 may lie from it: the sum of the terms' sizes times half a unit in the last place for each of the
 * roundings that one lane's sum goes through, with a few for the rest.
 */
export function tolerance(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let terms = 0;
  let lengths = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let index = 0; index < a.length; index++) {
    const x = a[index]!;
    const y = b[index]!;
    terms += Math.abs(x * y);
    lengths += (x - y) ** 2;
    lengthA += x * x;
    lengthB += y * y;
  }
  const roundings = (a.length / 4 + 8) * 2 ** -24;
  if (metric === 'L2') return lengths * (roundings + 4 * 2 ** -24) + 1e-38;
  if (metric === 'IP') return terms * roundings + 1e-38;
  return lengthA === 0 || lengthB === 0 ? 0 : (terms / Math.sqrt(lengthA * lengthB)) * roundings + 4 * 2 ** -24;
}

/** The kernel's promise in its plainest form: every allowed row, nearest first, ties by row. */
export function referenceSearch(
  metric: Metric,
  rows: readonly ArrayLike<number>[],
  query: ArrayLike<number>,
  limit: number,
  isAllowed: (row: number) => boolean = () => true,
): ReferenceHit[] {
  return rows
    .map((values, row) => ({ row, distance: referenceDistance(metric, query, values) }))
    .filter(({ row }) => isAllowed(row))
    .sort((a, b) => compareDistances(metric, a.distance, b.distance) || a.row - b.row)
    .slice(0, limit);
}

/** The rows of a bitmap's predicate, as a search takes it. */
export function bitmapOf(size: number, isAllowed: (row: number) => boolean): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(size / 8));
  for (let row = 0; row < size; row++) if (isAllowed(row)) bitmap[row >> 3]! |= 1 << (row & 7);
  return bitmap;
}
