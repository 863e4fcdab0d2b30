import { beamEntry, beamSize, entryOf, nodeOf } from './beam';
import { codeQueryBytes } from './code-query';
import { hasBit, subtract } from './bitmap';
import { Hnsw } from './hnsw-index';
import { rank } from './hnsw-query';
import { descend, descended } from './hnsw-search';
import { advance, createTraversal, freeTraversal, startAt, Traversal } from './hnsw-traversal';
import { allocate, release } from './memory';
import { push } from './min-heap';
import { Rows } from './rows';
import { bitsOf, exactAt, prepare, prepareExact, score4, Space } from './space';
import { clearHeap, drainHeap } from './top-k';

/**
 * The next results of one query, page by page, without starting again. It holds a prepared query of its own, since
 * other searches run between two pages; it ends when the index changes, which the host sees to.
 */

// @ts-ignore: decorator
@unmanaged
class Cursor {
  index: Hnsw;
  traversal: Traversal;
  /** The query as it was given, for exact ranking. */
  vector: u32;
  /** The query as the traversal takes it. */
  query: u32;
}

const CURSOR_BYTES: u32 = 16;

/**
 * A cursor for a query that is padded with zeros to 16 bytes; 0 if there is no room. `allow` is 0, or a bitmap of all
 * rows, which is changed and stays where it is until the cursor is freed.
 */
export function hnswOpenCursor(address: u32, vector: u32, allow: u32): u32 {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  const vectorBytes = (space.dimension << 2) + 15 & ~15;
  const queryBytes = space.bits == 0 ? 0 : codeQueryBytes(space.bits, space.dimension);
  const block = allocate(CURSOR_BYTES + vectorBytes + queryBytes);
  if (block == 0) return 0;
  if (allow != 0) subtract(allow, index.removed, min(space.size, index.removedRoom));
  const cursor = changetype<Cursor>(block);
  cursor.index = index;
  cursor.vector = block + CURSOR_BYTES;
  memory.copy(cursor.vector, vector, vectorBytes);
  prepareExact(space, cursor.vector);
  cursor.query = space.bits == 0 ? cursor.vector : cursor.vector + vectorBytes;
  cursor.traversal = createTraversal(space.encoded, allow, true, 0xffffffff);
  if (changetype<u32>(cursor.traversal) == 0) {
    release(block);
    return 0;
  }
  let isReady: bool;
  if (space.bits == 0) isReady = start<f32>(cursor, space.exact);
  else if (space.bits == 8) isReady = start<u8>(cursor, space.codes);
  else if (space.bits == 4) isReady = start<u16>(cursor, space.codes);
  else isReady = start<u32>(cursor, space.codes);
  if (!isReady || !findPending(cursor, allow)) {
    hnswCloseCursor(block);
    return 0;
  }
  return block;
}

function start<K>(cursor: Cursor, rows: Rows): bool {
  const index = cursor.index;
  const space = index.space;
  const query = prepare<K>(space, cursor.vector);
  if (!isFloat<K>()) memory.copy(cursor.query, query, codeQueryBytes(bitsOf<K>(), space.dimension));
  if (space.encoded == 0) return true;
  return startAt(cursor.traversal, descend<K>(index.graph, space, rows, 0, query), descended);
}

/** The rows that the graph does not hold yet are found from the beginning. */
function findPending(cursor: Cursor, allow: u32): bool {
  const space = cursor.index.space;
  for (let row = space.encoded; row < space.size; row++) {
    if (allow != 0 && !hasBit(allow, row)) continue;
    const at = exactAt(space, row);
    const score = f32x4.extract_lane(score4<f32>(space.metric, space.dimension, cursor.vector, at, at, at, at), 0);
    if (!push(cursor.traversal.found, entryOf(score, row))) return false;
  }
  return true;
}

export function hnswCloseCursor(address: u32): void {
  freeTraversal(changetype<Cursor>(address).traversal);
  release(address);
}

/**
 * Writes the next `count` rows and scores, nearest first, and says how many there were; -1 if there was no room, and
 * then the cursor is of no more use. `beam` has room for `ef`, which is at least `count` and `refineK`.
 */
export function hnswNext(
  address: u32, count: u32, ef: u32, refineK: u32, beam: u32, heap: u32, targetRows: u32, targetScores: u32,
): i32 {
  const cursor = changetype<Cursor>(address);
  const space = cursor.index.space;
  let isDone: bool;
  if (space.bits == 0) isDone = fill<f32>(cursor, space.exact, beam, ef);
  else if (space.bits == 8) isDone = fill<u8>(cursor, space.codes, beam, ef);
  else if (space.bits == 4) isDone = fill<u16>(cursor, space.codes, beam, ef);
  else isDone = fill<u32>(cursor, space.codes, beam, ef);
  if (!isDone) return -1;
  clearHeap(heap, count);
  rank(space, cursor.vector, beam, heap, count, refineK);
  const written = drainHeap(heap, targetRows, targetScores);
  return putBack(cursor.traversal, beam, targetRows, written, max(count, refineK)) ? written as i32 : -1;
}

function fill<K>(cursor: Cursor, rows: Rows, beam: u32, ef: u32): bool {
  const index = cursor.index;
  return advance<K>(cursor.traversal, index.graph, index.space, rows, cursor.query, beam, ef);
}

/** Keeps what is in the beam and was not written for the next page. Only the first `ranked` may have been. */
function putBack(traversal: Traversal, beam: u32, rows: u32, written: u32, ranked: u32): bool {
  const size = beamSize(beam);
  const end = rows + (written << 2);
  for (let at: u32 = 0; at < size; at++) {
    const entry = beamEntry(beam, at);
    let isWritten = false;
    if (at < ranked) {
      // The first ones are all written if none of them was dropped.
      isWritten = written == min(size, ranked);
      for (let row = rows; row < end && !isWritten; row += 4) isWritten = load<u32>(row) == nodeOf(entry);
    }
    if (!isWritten && !push(traversal.found, entry & ~(1 as u64))) return false;
  }
  return true;
}
