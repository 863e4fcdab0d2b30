import { allocate, release } from './memory';
import { pop as popEntry, push as pushEntry } from './nearest-first';

/** Entries of a search in no bound number, the nearest at the root. It grows as it must, within the budget. */

// @ts-ignore: decorator
@unmanaged
export class MinHeap {
  entries: u32;
  size: u32;
  room: u32;
}

/** Bytes of a heap without its entries. */
// @ts-ignore: decorator
@inline
export const MIN_HEAP_BYTES: u32 = 16;

const FIRST_ROOM: u32 = 512;

export function freeMinHeap(heap: MinHeap): void {
  if (heap.entries != 0) release(heap.entries);
  heap.entries = 0;
  heap.size = 0;
  heap.room = 0;
}

// @ts-ignore: decorator
@inline
export function peek(heap: MinHeap): u64 {
  return load<u64>(heap.entries);
}

/** False, and nothing has changed, if there is no room for one more. */
export function push(heap: MinHeap, entry: u64): bool {
  if (heap.size == heap.room && !grow(heap)) return false;
  pushEntry(heap.entries, heap.size, entry);
  heap.size += 1;
  return true;
}

/** Takes the nearest entry out; there is one. */
export function pop(heap: MinHeap): u64 {
  const nearest = popEntry(heap.entries, heap.size);
  heap.size -= 1;
  return nearest;
}

function grow(heap: MinHeap): bool {
  const room = heap.room == 0 ? FIRST_ROOM : heap.room << 1;
  const entries = allocate(room << 3);
  if (entries == 0) return false;
  if (heap.entries != 0) {
    memory.copy(entries, heap.entries, heap.size << 3);
    release(heap.entries);
  }
  heap.entries = entries;
  heap.room = room;
  return true;
}
