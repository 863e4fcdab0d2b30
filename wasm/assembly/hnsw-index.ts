import { beamBytes, beamEntry, beamSize, nodeOf, scoreOf } from './beam';
import { codeStride } from './code';
import { createGraph, freeGraph, Graph, reserveGraph } from './hnsw-graph';
import { insertRow } from './hnsw-insert';
import { descend, search } from './hnsw-search';
import { allocate, release } from './memory';
import { createRows, freeRows, reserveRows, rowAt, Rows } from './rows';
import {
  centre, createSpace, encodeRow, exactAt, freeSpace, isExact, prepare, prepareExact, prepareRows, reserveCodes, score4,
  Space,
} from './space';
import { clearHeap, drainHeap, offer } from './top-k';
import { reserveVisited } from './visited';

/**
 * An HNSW index: vectors and a graph over the first of them. Rows that the graph does not hold yet are searched
 * exactly. The graph is built on codes of 8 bits, which is faster than on exact vectors and gives the same graph from
 * both builds; where searches traverse something else, those codes are a draft that goes when every row is in.
 */

// @ts-ignore: decorator
@unmanaged
export class Hnsw {
  space: Space;
  graph: Graph;
  efConstruction: u32;
  /** Whether exact vectors stay once their rows are in the graph. */
  keepsExact: u32;
}

/** A new, empty index; 0 if there is no room. `bits` is 0 to traverse exact vectors, or 8, 4, 1. */
export function hnswCreate(
  dimension: u32, metric: u32, bits: u32, keepsExact: u32, M: u32, efConstruction: u32, seed: u64,
): u32 {
  const address = allocate(16);
  if (address == 0) return 0;
  const index = changetype<Hnsw>(address);
  index.space = createSpace(dimension, metric, bits, seed);
  if (changetype<u32>(index.space) == 0) {
    release(address);
    return 0;
  }
  index.graph = createGraph(M, seed);
  if (changetype<u32>(index.graph) == 0) {
    freeSpace(index.space);
    release(address);
    return 0;
  }
  index.efConstruction = efConstruction;
  index.keepsExact = keepsExact;
  return address;
}

export function hnswFree(address: u32): void {
  const index = changetype<Hnsw>(address);
  freeGraph(index.graph);
  freeSpace(index.space);
  release(address);
}

/** Makes room for `count` more rows; false, and nothing has changed, if there is none. */
export function hnswReserve(address: u32, count: u32): bool {
  const space = changetype<Hnsw>(address).space;
  const rows = space.size + count;
  return reserveRows(space.exact, rows - space.exactFrom) && reserveVisited(rows);
}

/** Where the exact vector of a row lies, or will lie; the rows of its chunk follow it. */
export function hnswExactAt(address: u32, row: u32): u32 {
  return exactAt(changetype<Hnsw>(address).space, row);
}

/** Counts `count` rows in, which have been copied to their places. */
export function hnswAppend(address: u32, count: u32): void {
  const space = changetype<Hnsw>(address).space;
  prepareRows(space, space.size, space.size + count);
  space.size += count;
}

/** Takes up to `count` rows into the graph, and says how many are left; -1, and none is in, if there is no room. */
export function hnswBuild(address: u32, count: u32): i32 {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  const from = space.encoded;
  const to = space.size - from < count ? space.size : from + count;
  if (from == to) return 0;
  if (from == 0 && space.bits != 8 && changetype<u32>(space.draft) == 0) {
    space.draft = createRows(codeStride(8, space.dimension));
    if (changetype<u32>(space.draft) == 0) return -1;
  }
  if (!reserveCodes(space, to) || !reserveGraph(index.graph, from, to) || !reserveVisited(space.size)) return -1;
  const beam = allocate(beamBytes(index.efConstruction));
  if (beam == 0) return -1;
  if (space.centred == 0) centre(space);
  const isDraft = changetype<u32>(space.draft) != 0;
  for (let row = from; row < to; row++) {
    if (space.bits != 0 || isDraft) encodeRow(space, row);
    if (isDraft) insertRow<u8>(index.graph, space, space.draft, row, beam, index.efConstruction);
    else if (space.bits == 8) insertRow<u8>(index.graph, space, space.codes, row, beam, index.efConstruction);
    else if (isExact(space)) insertRow<f32>(index.graph, space, space.exact, row, beam, index.efConstruction);
    else if (space.bits == 4) insertRow<u16>(index.graph, space, space.codes, row, beam, index.efConstruction);
    else insertRow<u32>(index.graph, space, space.codes, row, beam, index.efConstruction);
    space.encoded = row + 1;
  }
  release(beam);
  if (to == space.size) finish(index);
  return space.size - to;
}

/** Every row is in: what only the building needed goes. */
function finish(index: Hnsw): void {
  const space = index.space;
  freeRows(space.draft);
  space.draft = changetype<Rows>(0);
  if (index.keepsExact) return;
  const empty = createRows(space.dimension << 2);
  if (changetype<u32>(empty) == 0) return;
  freeRows(space.exact);
  space.exact = empty;
  space.exactFrom = space.size;
}

/** Bytes that `hnswSearch` needs at `scratch`. */
export function hnswScratchBytes(ef: u32): u32 {
  return beamBytes(ef);
}

/**
 * Searches for `count` queries, `stride` bytes apart, each padded with zeros to 16 bytes; they are normalized in place
 * for COSINE. `heap` has room for `limit` entries. Rows and scores are written `limit` apart, the counts one by one.
 */
export function hnswSearch(
  address: u32, queries: u32, count: u32, stride: u32, limit: u32, ef: u32, refineK: u32, scratch: u32, heap: u32,
  targetRows: u32, targetScores: u32, targetCounts: u32,
): void {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  for (let query: u32 = 0; query < count; query++) {
    prepareExact(space, queries);
    clearHeap(heap, limit);
    if (space.encoded > 0) {
      if (space.bits == 0) traverse<f32>(index, space.exact, queries, ef, scratch);
      else if (space.bits == 8) traverse<u8>(index, space.codes, queries, ef, scratch);
      else if (space.bits == 4) traverse<u16>(index, space.codes, queries, ef, scratch);
      else traverse<u32>(index, space.codes, queries, ef, scratch);
      rank(space, queries, scratch, heap, limit, refineK);
    }
    scanPending(space, queries, heap);
    store<u32>(targetCounts, drainHeap(heap, targetRows, targetScores));
    queries += stride;
    targetRows += limit << 2;
    targetScores += limit << 2;
    targetCounts += 4;
  }
}

function traverse<K>(index: Hnsw, rows: Rows, vector: u32, ef: u32, beam: u32): void {
  const space = index.space;
  const query = prepare<K>(space, vector);
  const node = descend<K>(index.graph, space, rows, 0, query);
  search<K>(index.graph, space, rows, 0, node, query, beam, ef);
}

/** Offers the beam's nearest to the heap, by their exact distances where those are to be had. */
function rank(space: Space, query: u32, beam: u32, heap: u32, limit: u32, refineK: u32): void {
  const size = beamSize(beam);
  if (space.bits == 0 || refineK == 0 || !isExact(space)) {
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

/** Offers the rows that the graph does not hold yet. */
function scanPending(space: Space, query: u32, heap: u32): void {
  for (let row = space.encoded; row < space.size; row++) {
    const at = exactAt(space, row);
    offer(heap, f32x4.extract_lane(score4<f32>(space.metric, space.dimension, query, at, at, at, at), 0), row);
  }
}
