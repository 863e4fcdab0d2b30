import { beamBytes } from './beam';
import { addBit, bitmapBytes } from './bitmap';
import { codeStride } from './code';
import { createGraph, freeGraph, Graph, reserveGraph } from './hnsw-graph';
import { insertRow } from './hnsw-insert';
import { allocate, release } from './memory';
import { createRows, freeRows, reserveRows, Rows } from './rows';
import {
  centre, createSpace, encodeRow, exactAt, freeSpace, isExact, prepareRows, reserveCodes, Space,
} from './space';
import { releaseVisited, reserveVisited } from './visited';

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
  /** Rows that are never found again, as a bitmap; 0 while there are none. */
  removed: u32;
  removedCount: u32;
  /** Rows that the bitmap has room for. */
  removedRoom: u32;
}

const HNSW_BYTES: u32 = 32;

/** Indexes that are there: the marks of visited rows, which they share, go with the last. */
let indexes: u32 = 0;

/** A new, empty index; 0 if there is no room. `bits` is 0 to traverse exact vectors, or 8, 4, 1. */
export function hnswCreate(
  dimension: u32, metric: u32, bits: u32, keepsExact: u32, M: u32, efConstruction: u32, seed: u64,
): u32 {
  const address = allocate(HNSW_BYTES);
  if (address == 0) return 0;
  memory.fill(address, 0, HNSW_BYTES);
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
  indexes += 1;
  return address;
}

export function hnswFree(address: u32): void {
  const index = changetype<Hnsw>(address);
  freeGraph(index.graph);
  freeSpace(index.space);
  if (index.removed != 0) release(index.removed);
  release(address);
  indexes -= 1;
  if (indexes == 0) releaseVisited();
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

/** Codes for a graph that was copied in without: of every row, whose exact vectors are here, in room that is there. */
export function hnswEncode(address: u32): void {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  if (space.encoded == 0) return;
  centre(space);
  for (let row: u32 = 0; row < space.encoded; row++) encodeRow(space, row);
  if (space.encoded == space.size) finish(index);
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

/** Makes room to remove any row that is there; false, and nothing has changed, if there is none. */
export function hnswReserveRemoved(address: u32): bool {
  const index = changetype<Hnsw>(address);
  const rows = index.space.size;
  if (rows <= index.removedRoom) return true;
  const bytes = bitmapBytes(rows);
  const bitmap = allocate(bytes);
  if (bitmap == 0) return false;
  memory.fill(bitmap, 0, bytes);
  if (index.removed != 0) {
    memory.copy(bitmap, index.removed, (index.removedRoom + 7) >> 3);
    release(index.removed);
  }
  index.removed = bitmap;
  index.removedRoom = rows;
  return true;
}

/** Removes a row, for which there is room; says how many are removed now. */
export function hnswRemove(address: u32, row: u32): u32 {
  const index = changetype<Hnsw>(address);
  if (addBit(index.removed, row)) index.removedCount += 1;
  return index.removedCount;
}
