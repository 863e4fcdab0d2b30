/**
 * The nearest `capacity` nodes that a search has met, sorted, each with a mark that says whether its links have been
 * followed. One sorted array is result and queue of candidates at once (as fast as two heaps, and half the code).
 *
 *     beam + 0   entries
 *     beam + 4   capacity
 *     beam + 8   threshold (f32): the score of the last entry once the beam is full; before, no number, which nothing
 *                is greater than or equal to
 *     beam + 16  the entries (u64): the score's bits, ordered as unsigned integers, << 32 | node << 1 | followed
 */

// @ts-ignore: decorator
@inline
export const ENTRIES: u32 = 16;

/** Bytes of a beam. */
export function beamBytes(capacity: u32): u32 {
  return ENTRIES + ((capacity + 2) << 3);
}

export function clearBeam(beam: u32, capacity: u32): void {
  store<u32>(beam, 0);
  store<u32>(beam, capacity, 4);
  store<f32>(beam, f32.NaN, 8);
}

// @ts-ignore: decorator
@inline
export function beamSize(beam: u32): u32 {
  return load<u32>(beam);
}

// @ts-ignore: decorator
@inline
export function beamEntry(beam: u32, index: u32): u64 {
  return load<u64>(beam + (index << 3), ENTRIES);
}

// @ts-ignore: decorator
@inline
export function nodeOf(entry: u64): u32 {
  return (entry as u32) >> 1;
}

/** A score that is no number counts as infinite. */
// @ts-ignore: decorator
@inline
export function entryOf(score: f32, node: u32): u64 {
  if (score != score) score = f32.MAX_VALUE * 2;
  const bits = reinterpret<i32>(score);
  return (((bits ^ ((bits >> 31) | 0x80000000)) as u32 as u64) << 32) | ((node << 1) as u64);
}

// @ts-ignore: decorator
@inline
export function scoreOf(entry: u64): f32 {
  const ordered = (entry >> 32) as i32;
  return reinterpret<f32>(ordered ^ ((~ordered >> 31) | 0x80000000));
}

/** Infinity, and the sign bit, in each lane. Loaded where they are used: V8 makes a constant anew each time. */
const INFINITE: u32 = memory.data<u32>([0x7f800000, 0x7f800000, 0x7f800000, 0x7f800000], 16) as u32;
const SIGNS: u32 = memory.data<u32>([0x80000000, 0x80000000, 0x80000000, 0x80000000], 16) as u32;

/** Nodes that are about to enter a beam: at most one node's links. */
const BATCH: u32 = memory.data((256 + 8) * 8, 16) as u32;

/**
 * Adds to the batch of `count` nodes those of four that are near enough, and says how many it holds then. `list` has
 * their numbers (u32), of which the first `rest` count. Branch-free: which ones enter is not to be foreseen.
 */
// @ts-ignore: decorator
@inline
export function gather(beam: u32, scores: v128, list: u32, rest: u32, count: u32): u32 {
  const threshold = v128.load32_splat(beam, 8);
  let enters = ~(i32x4.bitmask(f32x4.ge(scores, threshold)) as u32) & 15;
  if (rest < 4) enters &= (1 << rest) - 1;
  if (enters == 0) return count;
  // A score that is no number counts as infinite.
  const bits = f32x4.pmin(v128.load(INFINITE), scores);
  const ordered = v128.xor(bits, v128.or(i32x4.shr_s(bits, 31), v128.load(SIGNS)));
  const nodes = i32x4.shl(v128.load(list), 1);
  const low = v128.shuffle<i32>(nodes, ordered, 0, 4, 1, 5);
  const high = v128.shuffle<i32>(nodes, ordered, 2, 6, 3, 7);
  v128.store_lane<u64>(BATCH + (count << 3), low, 0);
  count += enters & 1;
  v128.store_lane<u64>(BATCH + (count << 3), low, 1);
  count += (enters >> 1) & 1;
  v128.store_lane<u64>(BATCH + (count << 3), high, 0);
  count += (enters >> 2) & 1;
  v128.store_lane<u64>(BATCH + (count << 3), high, 1);
  return count + (enters >> 3);
}

/**
 * Puts the batch in its places, moving each entry behind them once, and drops what the beam has no room for. Says where
 * the first of the batch went, or a number beyond the beam if none had room.
 */
export function merge(beam: u32, count: u32): u32 {
  sortBatch(count);
  const entries = beam + ENTRIES;
  const capacity = load<u32>(beam, 4);
  let size = load<u32>(beam);
  while (size + count > capacity) {
    if (size > 0 && load<u64>(entries + (size << 3) - 8) > load<u64>(BATCH + (count << 3) - 8)) {
      size -= 1;
    } else {
      count -= 1;
      if (count == 0) return 0xffffffff;
    }
  }
  store<u32>(beam, size + count);
  let high = size;
  let place: u32 = 0;
  for (let left = count; left > 0; left--) {
    const entry = load<u64>(BATCH + (left << 3) - 8);
    place = placeOf(entries, high, entry);
    moveUp(entries + (place << 3), entries + (high << 3), left << 3);
    store<u64>(entries + ((place + left - 1) << 3), entry);
    high = place;
  }
  if (size + count == capacity) store<f32>(beam, scoreOf(load<u64>(entries + (capacity << 3) - 8)), 8);
  return place;
}

function sortBatch(count: u32): void {
  const end = BATCH + (count << 3);
  for (let next = BATCH + 8; next < end; next += 8) {
    const entry = load<u64>(next);
    let at = next;
    while (at > BATCH && load<u64>(at - 8) > entry) {
      store<u64>(at, load<u64>(at - 8));
      at -= 8;
    }
    store<u64>(at, entry);
  }
}

/** How many of the first `count` entries are smaller; without a branch that could be foreseen wrong. */
// @ts-ignore: decorator
@inline
function placeOf(entries: u32, count: u32, entry: u64): u32 {
  let from: u32 = 0;
  while (count > 0) {
    const half = count >> 1;
    const isSmaller = load<u64>(entries + ((from + half) << 3)) < entry;
    from = isSmaller ? from + half + 1 : from;
    count = isSmaller ? count - half - 1 : half;
  }
  return from;
}

/** Moves the entries from `from` up to `end` by `bytes`, the last ones first. */
// @ts-ignore: decorator
@inline
function moveUp(from: u32, end: u32, bytes: u32): void {
  let at = end;
  for (; at >= from + 16; at -= 16) v128.store(at + bytes - 16, v128.load(at - 16));
  if (at > from) store<u64>(from + bytes, load<u64>(from));
}

/** Puts one node in its place; a beam that is full drops its last. */
export function insert(beam: u32, score: f32, node: u32): void {
  const entry = entryOf(score, node);
  store<u64>(BATCH, entry);
  merge(beam, 1);
}
