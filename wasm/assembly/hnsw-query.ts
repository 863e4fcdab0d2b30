import { beamBytes, beamEntry, beamSize, clearBeam, ENTRIES, nodeOf, scoreOf } from './beam';
import { bitmapBytes, countBits, hasBit, subtract } from './bitmap';
import { Hnsw } from './hnsw-index';
import { descend, descended, search } from './hnsw-search';
import { scanAllowed, scanExact } from './hnsw-scan';
import { advance, createTraversal, freeTraversal, startAt } from './hnsw-traversal';
import { allocate, release } from './memory';
import { Rows } from './rows';
import { exactAt, isExact, prepare, prepareExact, score4, Space } from './space';
import { clearHeap, drainHeap, offer } from './top-k';

/**
 * One search of an HNSW index: traversal on what the index traverses, then the nearest of the beam by their exact
 * distances, then the rows that the graph does not hold yet.
 *
 * A filter is applied inside the traversal. Where it lets few rows through, they are scanned instead, by their exact
 * vectors where those are here: at once if a traversal would have to score about as many, or as soon as one has.
 */

/** Scored rows of an unfiltered search for each node that it keeps in view, about. */
const SCORED_A_NODE: u64 = 16;

/** Bytes of the beam that `hnswSearch` needs. */
export function hnswBeamBytes(ef: u32): u32 {
  return beamBytes(ef);
}

/** Bytes of the bitmap of an index's rows that a search needs to filter. */
export function hnswBitmapBytes(address: u32): u32 {
  return bitmapBytes(changetype<Hnsw>(address).space.size);
}

/**
 * Searches for `count` queries, `stride` bytes apart, each padded with zeros to 16 bytes; they are normalized in place
 * for COSINE. `allow` is 0, or a bitmap of all rows, which is changed. `heap` has room for `limit` entries. Rows and
 * scores are written `limit` apart, the counts one by one. False if there was no room for the search itself.
 */
export function hnswSearch(
  address: u32, queries: u32, count: u32, stride: u32, limit: u32, ef: u32, refineK: u32, allow: u32, beam: u32,
  heap: u32, targetRows: u32, targetScores: u32, targetCounts: u32,
): bool {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  if (allow != 0) subtract(allow, index.removed, min(space.size, index.removedRoom));
  const matches = allow == 0 ? 0 : countBits(allow, space.encoded);
  for (let query: u32 = 0; query < count; query++) {
    prepareExact(space, queries);
    clearHeap(heap, limit);
    if (space.encoded > 0) {
      if (!searchGraph(index, queries, limit, ef, allow, matches, beam, heap)) return false;
      rank(space, queries, beam, heap, limit, allow == 0 ? refineK : filteredRefineK(refineK, ef));
    }
    scanPending(index, queries, allow, heap);
    store<u32>(targetCounts, drainHeap(heap, targetRows, targetScores));
    queries += stride;
    targetRows += limit << 2;
    targetScores += limit << 2;
    targetCounts += 4;
  }
  return true;
}

/** Behind a filter all of the beam is ranked: what it lets through may lie far from the query, and close together. */
// @ts-ignore: decorator
@inline
function filteredRefineK(refineK: u32, ef: u32): u32 {
  return refineK == 0 ? 0 : ef;
}

/** Fills the beam, or, where it scans exact vectors, the heap itself. False if there is no room. */
function searchGraph(
  index: Hnsw, query: u32, limit: u32, ef: u32, allow: u32, matches: u32, beam: u32, heap: u32,
): bool {
  const space = index.space;
  if (space.bits == 0) return searchOn<f32>(index, space.exact, query, limit, ef, allow, matches, beam, heap);
  if (space.bits == 8) return searchOn<u8>(index, space.codes, query, limit, ef, allow, matches, beam, heap);
  if (space.bits == 4) return searchOn<u16>(index, space.codes, query, limit, ef, allow, matches, beam, heap);
  return searchOn<u32>(index, space.codes, query, limit, ef, allow, matches, beam, heap);
}

function searchOn<K>(
  index: Hnsw, rows: Rows, vector: u32, limit: u32, ef: u32, allow: u32, matches: u32, beam: u32, heap: u32,
): bool {
  const space = index.space;
  const query = prepare<K>(space, vector);
  if (allow != 0) {
    filtered<K>(index, rows, vector, query, ef, allow, matches, beam, heap);
    return true;
  }
  const node = descend<K>(index.graph, space, rows, 0, query);
  search<K>(index.graph, space, rows, 0, node, descended, query, beam, ef);
  if (index.removedCount == 0) return true;
  const alive = index.space.encoded - min(index.removedCount, index.space.encoded);
  if (dropRemoved(index, beam) >= min(limit, alive)) return true;
  // All that is near was removed: what is left is found as behind a filter.
  const bitmap = allocate(bitmapBytes(space.size));
  if (bitmap == 0) return false;
  memory.fill(bitmap, 255, (space.size + 7) >> 3);
  subtract(bitmap, index.removed, min(space.size, index.removedRoom));
  filtered<K>(index, rows, vector, query, ef, bitmap, countBits(bitmap, space.encoded), beam, heap);
  release(bitmap);
  return true;
}

/** Finds the nearest rows of the bitmap, of which there are `matches`. */
function filtered<K>(
  index: Hnsw, rows: Rows, vector: u32, query: u32, ef: u32, allow: u32, matches: u32, beam: u32, heap: u32,
): void {
  const space = index.space;
  // A traversal keeps `ef` matches in view and scores 1 / selectivity times as many rows as without a filter.
  const isThin = (matches as u64) * (matches as u64) < SCORED_A_NODE * (ef as u64) * (space.encoded as u64);
  if (!isThin) {
    // A row costs a traversal about twice what it costs a scan.
    const traversal = createTraversal(space.encoded, allow, false, matches >> 1);
    if (changetype<u32>(traversal) != 0) {
      const start = descend<K>(index.graph, space, rows, 0, query);
      const isDone = startAt(traversal, start, descended)
        && advance<K>(traversal, index.graph, space, rows, query, beam, ef);
      freeTraversal(traversal);
      if (isDone) return;
    }
  }
  clearBeam(beam, ef);
  if (isExact(space)) scanExact(space, vector, space.encoded, allow, heap);
  else scanAllowed<K>(space, rows, space.encoded, allow, query, beam);
}

/** Takes the removed rows out of a beam, and says how many stay. */
function dropRemoved(index: Hnsw, beam: u32): u32 {
  const size = beamSize(beam);
  const removed = index.removed;
  let kept: u32 = 0;
  for (let at: u32 = 0; at < size; at++) {
    const entry = beamEntry(beam, at);
    store<u64>(beam + (kept << 3), entry, ENTRIES);
    kept += isRemoved(index, removed, nodeOf(entry)) ? 0 : 1;
  }
  store<u32>(beam, kept);
  return kept;
}

// @ts-ignore: decorator
@inline
function isRemoved(index: Hnsw, removed: u32, row: u32): bool {
  return row < index.removedRoom && hasBit(removed, row);
}

/**
 * Offers the beam's nearest to the heap, by their exact distances where those are to be had. Exact scores of a traversal
 * are made anew too, four at a time: a distance depends on the two vectors alone, not on what was scored beside them.
 */
export function rank(space: Space, query: u32, beam: u32, heap: u32, limit: u32, refineK: u32): void {
  const size = beamSize(beam);
  if (size == 0) return;
  if (space.bits != 0 && (refineK == 0 || !isExact(space))) {
    const count = min(size, limit);
    for (let index: u32 = 0; index < count; index++) {
      const entry = beamEntry(beam, index);
      offer(heap, scoreOf(entry), nodeOf(entry));
    }
    return;
  }
  const count = min(size, max(refineK, limit));
  const last = count - 1;
  for (let index: u32 = 0; index < count; index += 4) {
    const one = nodeOf(beamEntry(beam, index));
    const two = nodeOf(beamEntry(beam, min(index + 1, last)));
    const three = nodeOf(beamEntry(beam, min(index + 2, last)));
    const four = nodeOf(beamEntry(beam, min(index + 3, last)));
    const scores = score4<f32>(
      space.metric, space.dimension, query,
      exactAt(space, one), exactAt(space, two), exactAt(space, three), exactAt(space, four),
    );
    offer(heap, f32x4.extract_lane(scores, 0), one);
    if (index + 1 < count) offer(heap, f32x4.extract_lane(scores, 1), two);
    if (index + 2 < count) offer(heap, f32x4.extract_lane(scores, 2), three);
    if (index + 3 < count) offer(heap, f32x4.extract_lane(scores, 3), four);
  }
}

/** Offers the rows that the graph does not hold yet and that may be found. */
function scanPending(index: Hnsw, query: u32, allow: u32, heap: u32): void {
  const space = index.space;
  for (let row = space.encoded; row < space.size; row++) {
    if (allow != 0 ? !hasBit(allow, row) : isRemoved(index, index.removed, row)) continue;
    const at = exactAt(space, row);
    offer(heap, f32x4.extract_lane(score4<f32>(space.metric, space.dimension, query, at, at, at, at), 0), row);
  }
}
