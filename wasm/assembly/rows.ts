import { allocate, release } from './memory';

/**
 * Rows of one size in chunks of a power of two of them: growing never moves what is there (but for the last chunk,
 * while it is small), and a row is found by a shift, a load and a multiplication.
 *
 * All chunks hold `1 << shift` rows; the last one may be shorter, and grows by doubling.
 */

/** Bytes of a whole chunk, or one row if that is more: what may be spare at the end stays small. */
const CHUNK_BYTES: u32 = 262144;
/** Rows of a chunk at most, so that small rows do not make large chunks. */
const SHIFT_MAX: u32 = 14;
/** Rows of a chunk that begins. */
const FIRST_ROWS: u32 = 16;

// @ts-ignore: decorator
@unmanaged
export class Rows {
  /** Bytes a row. */
  stride: u32;
  shift: u32;
  /** Rows that there is room for. */
  capacity: u32;
  /** The address of the chunks' addresses. */
  chunks: u32;
  chunkCount: u32;
  /** Addresses that there is room for. */
  chunkRoom: u32;
}

const ROWS_BYTES: u32 = 24;

/** Empty rows; 0 if there is no room for their header. */
export function createRows(stride: u32): Rows {
  const address = allocate(ROWS_BYTES);
  if (address == 0) return changetype<Rows>(0);
  memory.fill(address, 0, ROWS_BYTES);
  const rows = changetype<Rows>(address);
  rows.stride = stride;
  let shift = SHIFT_MAX;
  while (shift > 0 && (stride << shift) > CHUNK_BYTES) shift -= 1;
  rows.shift = shift;
  return rows;
}

export function freeRows(rows: Rows): void {
  if (changetype<u32>(rows) == 0) return;
  for (let chunk: u32 = 0; chunk < rows.chunkCount; chunk++) release(load<u32>(rows.chunks + (chunk << 2)));
  if (rows.chunks != 0) release(rows.chunks);
  release(changetype<u32>(rows));
}

/** The address of a row. */
// @ts-ignore: decorator
@inline
export function rowAt(rows: Rows, row: u32): u32 {
  return rowIn(rows.chunks, rows.shift, rows.stride, row);
}

/** The same for a hot loop, which holds the fields in locals. */
// @ts-ignore: decorator
@inline
export function rowIn(chunks: u32, shift: u32, stride: u32, row: u32): u32 {
  const chunk = row >> shift;
  return load<u32>(chunks + (chunk << 2)) + (row - (chunk << shift)) * stride;
}

/** Makes room for `count` rows in all; false, and nothing is lost, if the memory may not grow so far. */
export function reserveRows(rows: Rows, count: u32): bool {
  const chunkRows: u32 = 1 << rows.shift;
  while (rows.capacity < count) {
    const last = rows.chunkCount - 1;
    const inLast = rows.chunkCount == 0 ? chunkRows : rows.capacity - (last << rows.shift);
    if (inLast < chunkRows) {
      const wanted = count - (last << rows.shift);
      let larger = inLast << 1;
      if (larger < wanted) larger = wanted;
      if (larger > chunkRows) larger = chunkRows;
      if (!growLast(rows, last, inLast, larger)) return false;
    } else {
      const missing = count - rows.capacity;
      let fresh = missing < FIRST_ROWS ? FIRST_ROWS : missing;
      if (fresh > chunkRows) fresh = chunkRows;
      if (!addChunk(rows, fresh)) return false;
    }
  }
  return true;
}

function addChunk(rows: Rows, count: u32): bool {
  if (rows.chunkCount == rows.chunkRoom) {
    const room = rows.chunkRoom == 0 ? 4 : rows.chunkRoom << 1;
    const table = allocate(room << 2);
    if (table == 0) return false;
    if (rows.chunks != 0) {
      memory.copy(table, rows.chunks, rows.chunkCount << 2);
      release(rows.chunks);
    }
    rows.chunks = table;
    rows.chunkRoom = room;
  }
  const chunk = allocate(rows.stride * count);
  if (chunk == 0) return false;
  store<u32>(rows.chunks + (rows.chunkCount << 2), chunk);
  rows.chunkCount += 1;
  rows.capacity += count;
  return true;
}

function growLast(rows: Rows, last: u32, from: u32, to: u32): bool {
  const chunk = allocate(rows.stride * to);
  if (chunk == 0) return false;
  const place = rows.chunks + (last << 2);
  const before = load<u32>(place);
  memory.copy(chunk, before, rows.stride * from);
  release(before);
  store<u32>(place, chunk);
  rows.capacity += to - from;
  return true;
}
