import { orderedBits, scoreOf } from './top-k';

/**
 * Numbers with scores, given out nearest first and one by one: a heap of u64 entries (the score's ordered bits << 32 |
 * number) with the nearest at the root. It costs what is taken from it, not what is in it.
 */

/** The entry of a number with a score. A score that is no number counts as infinite. */
// @ts-ignore: decorator
@inline
export function entryOf(score: f32, number: u32): u64 {
  if (score != score) score = f32.MAX_VALUE * 2;
  return ((orderedBits(score) as u64) << 32) | (number as u64);
}

// @ts-ignore: decorator
@inline
export function scoreOfEntry(entry: u64): f32 {
  return scoreOf(entry);
}

/** Brings `size` entries into order. */
export function heapify(entries: u32, size: u32): void {
  for (let index = size >> 1; index > 0; ) {
    index -= 1;
    sink(entries, size, index, load<u64>(entries + (index << 3)));
  }
}

/** Adds an entry to `size` others. */
export function push(entries: u32, size: u32, entry: u64): void {
  let index = size;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = load<u64>(entries + (parent << 3));
    if (above <= entry) break;
    store<u64>(entries + (index << 3), above);
    index = parent;
  }
  store<u64>(entries + (index << 3), entry);
}

/** Takes the nearest of `size` entries out. */
export function pop(entries: u32, size: u32): u64 {
  const nearest = load<u64>(entries);
  const last = size - 1;
  if (last > 0) sink(entries, last, 0, load<u64>(entries + (last << 3)));
  return nearest;
}

function sink(entries: u32, size: u32, index: u32, entry: u64): void {
  while (true) {
    let child = (index << 1) + 1;
    if (child >= size) break;
    let below = load<u64>(entries + (child << 3));
    if (child + 1 < size) {
      const other = load<u64>(entries + (child << 3), 8);
      if (other < below) {
        child += 1;
        below = other;
      }
    }
    if (below >= entry) break;
    store<u64>(entries + (index << 3), below);
    index = child;
  }
  store<u64>(entries + (index << 3), entry);
}

/** The number whose lane has the least score, none of which is NaN; of equal ones the least number. */
// @ts-ignore: decorator
@inline
export function leastOf(scores: v128, numbers: v128): u32 {
  let least = f32x4.min(scores, v128.shuffle<i32>(scores, scores, 2, 3, 0, 1));
  least = f32x4.min(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
  let found = v128.or(numbers, v128.not(f32x4.eq(scores, least)));
  found = i32x4.min_u(found, v128.shuffle<i32>(found, found, 2, 3, 0, 1));
  found = i32x4.min_u(found, v128.shuffle<i32>(found, found, 1, 0, 3, 2));
  return i32x4.extract_lane(found, 0);
}
