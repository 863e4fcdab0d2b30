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

/** Puts a node in its place, dropping the last one if the beam is full; says where, or the capacity if it is too far. */
export function insert(beam: u32, score: f32, node: u32): u32 {
  const entry = entryOf(score, node);
  let size = load<u32>(beam);
  const capacity = load<u32>(beam, 4);
  const entries = beam + ENTRIES;
  let low: u32 = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(entries + (middle << 3)) < entry) low = middle + 1;
    else high = middle;
  }
  if (size == capacity) {
    if (low == capacity) return low;
    size -= 1;
  }
  const place = entries + (low << 3);
  let at = entries + (size << 3);
  for (; at >= place + 16; at -= 16) v128.store(at - 8, v128.load(at - 16));
  if (at > place) store<u64>(at, load<u64>(at - 8));
  store<u64>(place, entry);
  size += 1;
  store<u32>(beam, size);
  if (size == capacity) store<f32>(beam, scoreOf(load<u64>(entries + ((size - 1) << 3))), 8);
  return low;
}
