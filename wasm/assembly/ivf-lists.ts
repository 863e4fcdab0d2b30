import { codeStride, encode } from './code';
import { COSINE, IP } from './elements';
import { isRotated, Ivf, openWork, dot, PQ, RABITQ, rowToSpace, SCANN, SQ8, subtract, VECTORS, Work } from './ivf';
import { centreOf, ivfCentroidBytes } from './ivf-centroids';
import { allocate, release } from './memory';
import { encodeParts } from './pq';
import { rowAt } from './rows';
import { BLOCK_ROWS, blockBytes, encodeBlocked, moveBlocked } from './scann';

/**
 * The lists. Each is one block, exactly as large as it needs to be, and is scanned from its beginning to its end:
 *
 *     entries | terms (f32, PQ and SCANN) | row numbers (u32)
 *
 * An entry is the vector (VECTORS), a code with its two factors (SQ8, RABITQ), a byte a part (PQ), or half a byte a
 * part, 32 rows interleaved (SCANN). A list that changes is written anew beside the old block, which is then released:
 * when there is no room for it, nothing has changed.
 */

/** Bytes of `count` entries. */
export function entriesBytes(ivf: Ivf, count: u32): u32 {
  const kind = ivf.kind;
  if (kind == PQ) return (count * ivf.parts + 3) & ~3;
  if (kind == SCANN) return ((count + BLOCK_ROWS - 1) / BLOCK_ROWS) * blockBytes(ivf.parts);
  return count * entryStride(ivf);
}

/** Bytes of an entry that lies by itself: not for SCANN. */
// @ts-ignore: decorator
@inline
export function entryStride(ivf: Ivf): u32 {
  const kind = ivf.kind;
  if (kind == VECTORS) return ivf.dimension << 2;
  if (kind == PQ) return ivf.parts;
  return codeStride(kind == SQ8 ? 8 : 1, ivf.dimension);
}

/** Where the row numbers begin. */
// @ts-ignore: decorator
@inline
export function numbersAt(ivf: Ivf, count: u32): u32 {
  return entriesBytes(ivf, count) + (ivf.kind >= PQ ? count << 2 : 0);
}

/** Bytes of a list of `count` rows. */
export function ivfListBytes(ivf: Ivf, count: u32): u32 {
  return numbersAt(ivf, count) + (count << 2);
}

/** Sorts `count` assigned rows by list: `order` gets their indexes, and list l's begin at `starts[l]` (listCount + 1). */
export function ivfSort(ivf: Ivf, count: u32, starts: u32, order: u32): void {
  const lists = ivf.listCount;
  memory.fill(starts, 0, (lists + 1) << 2);
  for (let index: u32 = 0; index < count; index++) {
    const at = starts + (load<u32>(ivf.assigned + (index << 2)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let sum: u32 = 0;
  for (let list: u32 = 0; list <= lists; list++) {
    sum += load<u32>(starts + (list << 2));
    store<u32>(starts + (list << 2), sum);
  }
  // From the last row to the first, so that a list's rows come out ascending and its start in its place.
  for (let index = count; index > 0; ) {
    index -= 1;
    const at = starts + (load<u32>(ivf.assigned + (index << 2)) << 2);
    const place = load<u32>(at) - 1;
    store<u32>(at, place);
    store<u32>(order + (place << 2), index);
  }
}

/**
 * Adds `count` pending rows, given by `order`, to a list, and leaves removed ones out, those that were there included
 * (if nothing comes, only when they are a quarter of the list or more). False if there is no room: nothing has changed.
 */
export function ivfFill(ivf: Ivf, list: u32, order: u32, count: u32, room: u32): bool {
  const entry = ivf.lists + (list << 3);
  const from = load<u32>(entry);
  const before = load<u32>(entry, 4);
  const numbers = from + numbersAt(ivf, before);
  const kept = ivf.alive == 0 ? before : countAlive(ivf.alive, numbers, before);
  let added: u32 = 0;
  for (let index: u32 = 0; index < count; index++) added += isAlive(ivf.alive, rowOf(ivf, order, index)) as u32;
  if (added == 0 && (before - kept) * 4 < before) return true;
  if (added == 0 && kept == before) return true;
  const total = kept + added;
  let to: u32 = 0;
  if (total > 0) {
    to = allocate(ivfListBytes(ivf, total));
    if (to == 0) return false;
    memory.fill(to, 0, entriesBytes(ivf, total));
    const work = openWork(room, ivf.dimension);
    centreOf(ivf.dimension, ivf.centroids + list * ivfCentroidBytes(ivf.dimension), work.centre);
    let place: u32 = 0;
    for (let index: u32 = 0; index < before; index++) {
      if (isAlive(ivf.alive, load<u32>(numbers + (index << 2)))) move(ivf, from, before, index, to, total, place++);
    }
    for (let index: u32 = 0; index < count; index++) {
      const row = rowOf(ivf, order, index);
      if (isAlive(ivf.alive, row)) put(ivf, row, work, to, total, place++);
    }
  }
  store<u32>(entry, to);
  store<u32>(entry, total, 4);
  if (from != 0) release(from);
  return true;
}

// @ts-ignore: decorator
@inline
function rowOf(ivf: Ivf, order: u32, index: u32): u32 {
  return ivf.pendingFirst + load<u32>(order + (index << 2));
}

// @ts-ignore: decorator
@inline
export function isAlive(alive: u32, row: u32): bool {
  return alive == 0 || ((load<u8>(alive + (row >> 3)) >> ((row & 7) as u8)) & 1) != 0;
}

/** How many of `count` numbers have their bit. */
function countAlive(alive: u32, numbers: u32, count: u32): u32 {
  let sum: u32 = 0;
  for (let index: u32 = 0; index < count; index++) sum += isAlive(alive, load<u32>(numbers + (index << 2))) as u32;
  return sum;
}

/** Copies a row's entry, term and number into another block. */
function move(ivf: Ivf, from: u32, fromCount: u32, index: u32, to: u32, toCount: u32, place: u32): void {
  if (ivf.kind == SCANN) {
    moveBlocked(ivf.parts, from, index, to, place);
  } else {
    const stride = entryStride(ivf);
    memory.copy(to + place * stride, from + index * stride, stride);
  }
  if (ivf.kind >= PQ) {
    const term = load<f32>(from + entriesBytes(ivf, fromCount) + (index << 2));
    store<f32>(to + entriesBytes(ivf, toCount) + (place << 2), term);
  }
  store<u32>(to + numbersAt(ivf, toCount) + (place << 2), load<u32>(from + numbersAt(ivf, fromCount) + (index << 2)));
}

/** Encodes a pending row into a block. `work.centre` is the list's. */
function put(ivf: Ivf, row: u32, work: Work, to: u32, count: u32, place: u32): void {
  const dimension = ivf.dimension;
  store<u32>(to + numbersAt(ivf, count) + (place << 2), row);
  if (ivf.kind == VECTORS) {
    memory.copy(to + place * (dimension << 2), rowAt(ivf.rows, row - ivf.rowsFirst), dimension << 2);
    return;
  }
  rowToSpace(ivf, row, work.vector);
  memory.copy(work.residual, work.vector, dimension << 2);
  subtract(work.residual, work.centre, dimension);
  if (isRotated(ivf.kind)) {
    const term = ivf.metric == IP
      ? -dot(work.centre, work.residual, dimension)
      : dot(work.residual, work.residual, dimension) + shortfall(ivf, row, work);
    const target = to + place * entryStride(ivf);
    if (ivf.kind == SQ8) encode(8, dimension, work.residual, term, work.bytes, target);
    else encode(1, dimension, work.residual, term, work.bytes, target);
    return;
  }
  const term = ivf.kind == PQ
    ? encodeParts(ivf, work, to + place * ivf.parts)
    : encodeBlocked(ivf, work, to, place);
  store<f32>(to + entriesBytes(ivf, count) + (place << 2), term + shortfall(ivf, row, work));
}

/** For COSINE 1 - |x|^2: so that a zero vector, too, has the score 2 - 2 cos = 2. */
function shortfall(ivf: Ivf, row: u32, work: Work): f32 {
  if (ivf.metric != COSINE) return 0;
  memory.copy(work.exact, rowAt(ivf.rows, row - ivf.rowsFirst), ivf.dimension << 2);
  return 1 - dot(work.exact, work.exact, ivf.dimension);
}
