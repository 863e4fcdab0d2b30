import { beamEntry, beamSize, clearBeam, entryOf, insert, nodeOf, scoreOf } from './beam';
import { addBit, bitmapBytes, hasBit } from './bitmap';
import { Graph, readLinks } from './hnsw-graph';
import { allocate, release } from './memory';
import { freeMinHeap, MIN_HEAP_BYTES, MinHeap, peek, pop, push } from './min-heap';
import { rowAt, Rows } from './rows';
import { score4, Space } from './space';

/**
 * A search on level 0 that keeps everything it has met, so that it can go on for the next results, and that goes
 * through rows which it may not return: `candidates` are rows whose links were not followed, `found` those that may be
 * returned and were not. With a filter it is bounded: when it has scored as many rows as the filter lets through, an
 * exact scan of those is no dearer, and the caller does that.
 */

// @ts-ignore: decorator
@unmanaged
export class Traversal {
  candidates: MinHeap;
  found: MinHeap;
  /** Rows that were met, as a bitmap. */
  visited: u32;
  /** Rows that may be returned, as a bitmap; 0 for all. */
  allow: u32;
  /** Whether `found` is kept for another batch. */
  isResumable: u32;
  /** Rows that may still be scored before the traversal gives up. */
  budget: u32;
}

/** Bytes of the struct and of its two heaps' heads. */
const HEADER_BYTES: u32 = 32;

/** Links of one node that lead to rows not met before. */
const FRESH: u32 = memory.data((256 + 4) * 4, 16) as u32;

/** A traversal over `rows` rows that has not begun; 0 if there is no room. */
export function createTraversal(rows: u32, allow: u32, isResumable: bool, budget: u32): Traversal {
  const bytes = HEADER_BYTES + 2 * MIN_HEAP_BYTES + bitmapBytes(rows);
  const address = allocate(bytes);
  if (address == 0) return changetype<Traversal>(0);
  memory.fill(address, 0, bytes);
  const traversal = changetype<Traversal>(address);
  traversal.candidates = changetype<MinHeap>(address + HEADER_BYTES);
  traversal.found = changetype<MinHeap>(address + HEADER_BYTES + MIN_HEAP_BYTES);
  traversal.visited = address + HEADER_BYTES + 2 * MIN_HEAP_BYTES;
  traversal.allow = allow;
  traversal.isResumable = isResumable ? 1 : 0;
  traversal.budget = budget;
  return traversal;
}

export function freeTraversal(traversal: Traversal): void {
  freeMinHeap(traversal.candidates);
  freeMinHeap(traversal.found);
  release(changetype<u32>(traversal));
}

/** Puts the row in where the traversal starts, and its score. False if there is no room. */
export function startAt(traversal: Traversal, row: u32, score: f32): bool {
  addBit(traversal.visited, row);
  if (isAllowed(traversal, row) && !push(traversal.found, entryOf(score, row))) return false;
  return push(traversal.candidates, entryOf(score, row));
}

// @ts-ignore: decorator
@inline
function isAllowed(traversal: Traversal, row: u32): bool {
  return traversal.allow == 0 || hasBit(traversal.allow, row);
}

/**
 * Fills an empty beam with the nearest rows that may be returned and were not. False if it gave up, for its budget or
 * for want of memory: the beam is then of no use.
 */
export function advance<K>(
  traversal: Traversal, graph: Graph, space: Space, rows: Rows, query: u32, beam: u32, capacity: u32,
): bool {
  clearBeam(beam, capacity);
  const found = traversal.found;
  while (found.size > 0 && beamSize(beam) < capacity) {
    const entry = pop(found);
    insert(beam, scoreOf(entry), nodeOf(entry));
  }
  const candidates = traversal.candidates;
  while (candidates.size > 0) {
    const nearest = peek(candidates);
    if (beamSize(beam) == capacity && scoreOf(nearest) > load<f32>(beam, 8)) break;
    pop(candidates);
    const count = fresh(traversal, graph, nodeOf(nearest));
    if (traversal.budget < count) return false;
    traversal.budget -= count;
    for (let at: u32 = 0; at < count; at += 4) {
      const list = FRESH + (at << 2);
      const scores = score4<K>(
        space.metric, space.dimension, query,
        rowAt(rows, load<u32>(list)), rowAt(rows, load<u32>(list, 4)),
        rowAt(rows, load<u32>(list, 8)), rowAt(rows, load<u32>(list, 12)),
      );
      if (!meet(traversal, beam, capacity, f32x4.extract_lane(scores, 0), load<u32>(list))) return false;
      if (at + 1 < count && !meet(traversal, beam, capacity, f32x4.extract_lane(scores, 1), load<u32>(list, 4))) return false;
      if (at + 2 < count && !meet(traversal, beam, capacity, f32x4.extract_lane(scores, 2), load<u32>(list, 8))) return false;
      if (at + 3 < count && !meet(traversal, beam, capacity, f32x4.extract_lane(scores, 3), load<u32>(list, 12))) return false;
    }
  }
  return true;
}

/** Files one row that was scored for the first time. */
function meet(traversal: Traversal, beam: u32, capacity: u32, score: f32, row: u32): bool {
  const isNear = beamSize(beam) < capacity || score < load<f32>(beam, 8);
  const isResumable = traversal.isResumable != 0;
  if (!isNear && !isResumable) return true;
  if (!push(traversal.candidates, entryOf(score, row))) return false;
  if (!isAllowed(traversal, row)) return true;
  if (!isNear) return push(traversal.found, entryOf(score, row));
  if (isResumable && beamSize(beam) == capacity && !push(traversal.found, beamEntry(beam, capacity - 1))) return false;
  insert(beam, score, row);
  return true;
}

/** Lists the links of a row that lead to rows not met before, padded to a multiple of four, and marks them. */
function fresh(traversal: Traversal, graph: Graph, row: u32): u32 {
  const size = readLinks(graph, 0, row, FRESH);
  let count: u32 = 0;
  for (let link: u32 = 0; link < size; link++) {
    const to = load<u32>(FRESH + (link << 2));
    store<u32>(FRESH + (count << 2), to);
    count += addBit(traversal.visited, to) ? 1 : 0;
  }
  const end = FRESH + (count << 2);
  if (count > 0) {
    const last = load<u32>(end - 4);
    store<u32>(end, last);
    store<u32>(end, last, 4);
    store<u32>(end, last, 8);
  }
  return count;
}
