/**
 * How the distance of two vectors is measured, in Milvus's names and with Milvus's values:
 *
 * | metric | distance | nearer is |
 * |---|---|---|
 * | `L2` | the *squared* Euclidean distance, from 0 | smaller |
 * | `IP` | the inner product | larger |
 * | `COSINE` | the cosine of the angle, from -1 to 1; 0 if either vector is zero | larger |
 */
export const METRICS = ['L2', 'IP', 'COSINE'] as const;

export type Metric = (typeof METRICS)[number];

export function isMetric(value: unknown): value is Metric {
  return value === 'L2' || value === 'IP' || value === 'COSINE';
}

/** Whether a larger distance means a nearer vector. */
export function isLargerNearer(metric: Metric): boolean {
  return metric !== 'L2';
}

/** Negative if `a` is nearer than `b`, positive if it is farther, zero if they are equal: sorts the nearest first. */
export function compareDistances(metric: Metric, a: number, b: number): number {
  if (a === b) return 0;
  return a < b === isLargerNearer(metric) ? 1 : -1;
}

/** The distance that is farther than, or as far as, any other. */
export function farthest(metric: Metric): number {
  return isLargerNearer(metric) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
