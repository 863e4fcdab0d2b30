/**
 * The allocator: blocks in one linear memory, given back on release and used again.
 *
 * A block is a header of 16 bytes and a payload that begins at a multiple of 16. Blocks lie end to end from
 * `__heap_base` to `top`; the free ones form a list in the order of their addresses, no two of them touch, and none
 * touches `top`: release joins neighbours, and lowers `top` when the last block goes. So when everything is released,
 * nothing is left, whatever the order was.
 *
 *     block + 0   bytes of the block, header included, a multiple of 16
 *     block + 4   the next free block (only while it is free; 0 ends the list)
 *     block + 16  the payload
 *
 * The bound is the memory's own maximum, which the host sets, and below it what `limit` says last: growing beyond either
 * fails, and nothing has changed then.
 */

const HEADER: u32 = 16;
/** A smaller rest stays with the block that it would be cut from. */
const BLOCK_MIN: u32 = 32;
/** Kernels load 16 bytes at the last value of a vector: so many bytes behind the last block are always there. */
const SLACK: u32 = 16;
const PAGE: u64 = 65536;

let top: u32 = 0;
let firstFree: u32 = 0;
let used: u32 = 0;
let pagesMax: i64 = 65536;

/** The address of `bytes` fresh bytes, with any content, at a multiple of 16; 0 if the memory may not grow so far. */
export function allocate(bytes: u32): u32 {
  if (top == 0) top = ((__heap_base as u32) + 15) & ~15;
  if (bytes > 0xfffe0000) return 0;
  const size = (bytes + HEADER + 15) & ~15;
  let block = takeFree(size);
  if (block == 0) {
    if (!reach((top as u64) + (size as u64) + (SLACK as u64))) return 0;
    block = top;
    top += size;
    store<u32>(block, size);
  }
  used += load<u32>(block);
  return block + HEADER;
}

/** Gives back what `allocate` returned. Releasing twice is the caller's bug, and is not found out here. */
export function release(address: u32): void {
  const block = address - HEADER;
  used -= load<u32>(block);
  let before: u32 = 0;
  let after = firstFree;
  while (after != 0 && after < block) {
    before = after;
    after = load<u32>(after, 4);
  }
  store<u32>(block, after, 4);
  if (before == 0) firstFree = block;
  else store<u32>(before, block, 4);
  if (after != 0 && block + load<u32>(block) == after) joinNext(block);
  let last = block;
  if (before != 0 && before + load<u32>(before) == block) {
    joinNext(before);
    last = before;
  }
  if (last + load<u32>(last) == top) dropLast(last);
}

/** The memory grows to no more than `pages` from now on; what it has stays. */
export function limit(pages: u32): void {
  pagesMax = pages;
}

/** Bytes of all blocks that are in use, headers included. */
export function usedBytes(): u32 {
  return used;
}

/** The first free block that is large enough, cut to size and off the list; 0 if there is none. */
function takeFree(size: u32): u32 {
  let before: u32 = 0;
  let block = firstFree;
  while (block != 0 && load<u32>(block) < size) {
    before = block;
    block = load<u32>(block, 4);
  }
  if (block == 0) return 0;
  let next = load<u32>(block, 4);
  const rest = load<u32>(block) - size;
  if (rest >= BLOCK_MIN) {
    const remainder = block + size;
    store<u32>(remainder, rest);
    store<u32>(remainder, next, 4);
    store<u32>(block, size);
    next = remainder;
  }
  if (before == 0) firstFree = next;
  else store<u32>(before, next, 4);
  return block;
}

/** Makes the memory reach at least to `end`. */
function reach(end: u64): bool {
  const pages = ((end + PAGE - 1) / PAGE) as i64 - (memory.size() as i64);
  if (pages <= 0) return true;
  return (memory.size() as i64) + pages <= pagesMax && memory.grow(pages as i32) >= 0;
}

function joinNext(block: u32): void {
  const next = load<u32>(block, 4);
  store<u32>(block, load<u32>(block) + load<u32>(next));
  store<u32>(block, load<u32>(next, 4), 4);
}

/** Takes the last block of the list, which ends at `top`, out of it. */
function dropLast(block: u32): void {
  top = block;
  if (firstFree == block) {
    firstFree = 0;
    return;
  }
  let before = firstFree;
  while (load<u32>(before, 4) != block) before = load<u32>(before, 4);
  store<u32>(before, 0, 4);
}
