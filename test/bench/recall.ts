import { LIMIT } from './data-set.ts';

/** The recalls that speeds are compared at. */
export const TARGETS = [0.95, 0.99] as const;
export type Target = (typeof TARGETS)[number];

/** One setting of a knob: the recall it gives, and how fast. */
export interface Point {
  readonly knob: number;
  readonly recall: number;
  /** About how long one pass over all queries takes. */
  readonly passSeconds: number;
  /** Queries a second, one entry a round; undefined in rounds that left it out. */
  readonly rates: (number | undefined)[];
}

/** The share of the true `LIMIT` nearest rows that were found, over all queries. */
export function recallOf(answers: Int32Array, truth: Int32Array): number {
  let found = 0;
  for (let start = 0; start < truth.length; start += LIMIT) {
    const right = truth.subarray(start, start + LIMIT);
    for (let at = start; at < start + LIMIT; at++) if (right.includes(answers[at]!)) found += 1;
  }
  return found / truth.length;
}

/** The last point below the target and the first that reaches it: what the speed there is read from. */
export function bracket(points: readonly Point[], target: number): Point[] {
  const above = points.findIndex(({ recall }) => recall >= target);
  if (above < 0) return points.slice(-1);
  return points.slice(Math.max(0, above - 1), above + 1);
}

/**
 * Queries a second at a recall in one round: between the two points around it, the logarithm of the speed is taken to
 * fall in a straight line with recall. Where the first point reaches the target already, that point's speed. Undefined
 * where no point reaches it.
 */
export function rateAt(points: readonly Point[], target: number, round: number): number | undefined {
  const [below, above] = bracket(points, target);
  if (below === undefined) return undefined;
  if (above === undefined) return below.recall >= target ? below.rates[round] : undefined;
  const slow = above.rates[round];
  const fast = below.rates[round];
  if (slow === undefined || fast === undefined) return undefined;
  const share = (target - below.recall) / (above.recall - below.recall);
  return Math.exp(Math.log(fast) + share * (Math.log(slow) - Math.log(fast)));
}
