/**
 * The nearest `capacity` rows seen so far: a heap with the farthest at the root.
 *
 *     heap + 0   entries
 *     heap + 4   capacity
 *     heap + 8   threshold (f32): a score at or above it cannot enter. No number while there is room.
 *     heap + 16  the entries (u64): the score's bits, ordered as unsigned integers, << 32 | row
 *
 * A *score* is a distance turned so that smaller is nearer. Entries compare as integers, so equal scores are ordered
 * by row. Rows come in ascending order: a later one never displaces an earlier one with the same score, which is why
 * the threshold itself is shut out.
 */

const ENTRIES: u32 = 16;

/** Bytes of a heap. */
export function heapBytes(capacity: u32): u32 {
  return ENTRIES + (capacity << 3);
}

export function clearHeap(heap: u32, capacity: u32): void {
  store<u32>(heap, 0);
  store<u32>(heap, capacity, 4);
  store<f32>(heap, f32.NaN, 8);
}

/** The threshold in each lane: `score >= threshold` rejects. */
// @ts-ignore: decorator
@inline
export function thresholdOf(heap: u32): v128 {
  return v128.load32_splat(heap, 8);
}

/** Offers one row. A score that is no number counts as infinite. */
export function offer(heap: u32, score: f32, row: u32): void {
  if (score != score) score = f32.MAX_VALUE * 2;
  const entry = ((orderedBits(score) as u64) << 32) | (row as u64);
  const capacity = load<u32>(heap, 4);
  let size = load<u32>(heap);
  const entries = heap + ENTRIES;
  if (size < capacity) {
    siftUp(entries, size, entry);
    size += 1;
    store<u32>(heap, size);
    if (size < capacity) return;
  } else {
    if (entry >= load<u64>(entries)) return;
    siftDown(entries, size, entry);
  }
  store<f32>(heap, scoreOf(load<u64>(entries)), 8);
}

/** Sorts the heap, nearest first, writes its rows (u32) and scores (f32) out, and says how many. The heap is spent. */
export function drainHeap(heap: u32, rows: u32, scores: u32): u32 {
  const entries = heap + ENTRIES;
  const size = load<u32>(heap);
  for (let rest = size; rest > 1; ) {
    rest -= 1;
    const farthest = load<u64>(entries);
    siftDown(entries, rest, load<u64>(entries + (rest << 3)));
    store<u64>(entries + (rest << 3), farthest);
  }
  for (let index: u32 = 0; index < size; index++) {
    const entry = load<u64>(entries + (index << 3));
    store<u32>(rows + (index << 2), entry as u32);
    store<f32>(scores + (index << 2), scoreOf(entry));
  }
  store<u32>(heap, 0);
  return size;
}

/** A float's bits as an unsigned integer that is ordered as the floats are. Never given -0 (see `flat.ts`). */
// @ts-ignore: decorator
@inline
export function orderedBits(score: f32): u32 {
  const bits = reinterpret<i32>(score);
  return (bits ^ ((bits >> 31) | 0x80000000)) as u32;
}

// @ts-ignore: decorator
@inline
export function scoreOf(entry: u64): f32 {
  const ordered = (entry >> 32) as i32;
  return reinterpret<f32>(ordered ^ ((~ordered >> 31) | 0x80000000));
}

/** Puts `entry` in at the free place `index`, above every parent that is smaller. */
function siftUp(entries: u32, index: u32, entry: u64): void {
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = load<u64>(entries + (parent << 3));
    if (above >= entry) break;
    store<u64>(entries + (index << 3), above);
    index = parent;
  }
  store<u64>(entries + (index << 3), entry);
}

/** Replaces the root of a heap of `size` entries by `entry`, below every child that is larger. */
function siftDown(entries: u32, size: u32, entry: u64): void {
  let index: u32 = 0;
  while (true) {
    let child = (index << 1) + 1;
    if (child >= size) break;
    let below = load<u64>(entries + (child << 3));
    if (child + 1 < size) {
      const other = load<u64>(entries + (child << 3), 8);
      if (other > below) {
        child += 1;
        below = other;
      }
    }
    if (below <= entry) break;
    store<u64>(entries + (index << 3), below);
    index = child;
  }
  store<u64>(entries + (index << 3), entry);
}
