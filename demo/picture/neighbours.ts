import type { Matrix } from './principal-axes.ts';

/** The `count` nearest other rows of each row, nearest first, by the distance of their coordinates. All are compared. */
export function nearestRows({ values, rows, dimension }: Matrix, count: number): Uint32Array {
  const wanted = Math.min(count, rows - 1);
  const nearest = new Uint32Array(rows * wanted);
  const distances = new Float32Array(wanted);
  const found = new Uint32Array(wanted);
  for (let row = 0; row < rows; row++) {
    distances.fill(Number.POSITIVE_INFINITY);
    for (let other = 0; other < rows; other++) {
      const worst = distances[wanted - 1] as number;
      const distance = distanceBelow(values, row * dimension, other * dimension, dimension, worst);
      if (distance < worst && other !== row) insert(distances, found, distance, other);
    }
    nearest.set(found, row * wanted);
  }
  return nearest;
}

/** The squared distance of two rows; a sum that has passed `bound` is given up. */
function distanceBelow(values: Float32Array, a: number, b: number, dimension: number, bound: number): number {
  let sum = 0;
  for (let at = 0; at < dimension; at++) {
    const difference = (values[a + at] as number) - (values[b + at] as number);
    sum += difference * difference;
    if (sum >= bound) return sum;
  }
  return sum;
}

function insert(distances: Float32Array, found: Uint32Array, distance: number, row: number): void {
  let at = distances.length - 1;
  for (; at > 0 && (distances[at - 1] as number) > distance; at--) {
    distances[at] = distances[at - 1] as number;
    found[at] = found[at - 1] as number;
  }
  distances[at] = distance;
  found[at] = row;
}
