import { codeStride, encode, paddedDimension } from './code';
import { codeQueryBytes, estimate4, prepareQuery, prepareQueryOfCode } from './code-query';
import { gather4, gather8 } from './float32-gather';
import { allocate, release } from './memory';
import { normalize } from './norms';
import { drawSigns, rotate, signsBytes } from './rotation';
import { createRows, freeRows, reserveRows, rowAt, rowIn, Rows } from './rows';

/**
 * The vectors of one index, in up to three forms: exact (float32; of length 1 for COSINE), the codes that searches
 * traverse, and *draft* codes of 8 bits that a graph is built on where the codes have fewer.
 *
 * Functions are made for each form by a type that stands for it: f32 exact, u8 8 bits, u16 4 bits, u32 1 bit. Scores
 * are distances where smaller is nearer: L2, or 0 minus the inner product.
 */

// @ts-ignore: decorator
@inline
export const L2: u32 = 0;
// @ts-ignore: decorator
@inline
export const COSINE: u32 = 2;

/** Vectors that the centre is taken from, at most. */
const SAMPLE_MAX: u32 = 16384;

// @ts-ignore: decorator
@unmanaged
export class Space {
  seed: u64;
  dimension: u32;
  metric: u32;
  /** Bits of the codes; 0 without codes. */
  bits: u32;
  /** Rows that were appended. */
  size: u32;
  /** Rows that have codes. */
  encoded: u32;
  /** Exact vectors of the rows from `exactFrom` on; the table's first row is that one. */
  exact: Rows;
  exactFrom: u32;
  codes: Rows;
  /** 0 if the graph is built on the codes themselves, or on exact vectors. */
  draft: Rows;
  /** The centre, rotated, padded with zeros; `centred` once it is known. */
  centre: u32;
  centred: u32;
  /** A vector on its way to a code, padded with zeros. */
  vector: u32;
  /** Two prepared queries: of the search or the new row, and of a neighbour. */
  query: u32;
  other: u32;
  /** One byte a dimension. */
  scratch: u32;
  /** The rotation. */
  signs: u32;
}

const SPACE_BYTES: u32 = 80;

// @ts-ignore: decorator
@inline
export function bitsOf<K>(): u32 {
  return isFloat<K>() ? 0 : sizeof<K>() == 1 ? 8 : sizeof<K>() == 2 ? 4 : 1;
}

/** Vectors of which there are none yet; 0 if there is no room. */
export function createSpace(dimension: u32, metric: u32, bits: u32, seed: u64): Space {
  // Enough for whichever form is padded furthest: 128 dimensions of 1 bit.
  const padded = paddedDimension(1, dimension);
  const queryBytes = 32 + (padded << 2);
  const bytes = SPACE_BYTES + 2 * (padded << 2) + 2 * queryBytes + padded + signsBytes(dimension);
  const address = allocate(bytes);
  if (address == 0) return changetype<Space>(0);
  memory.fill(address, 0, bytes);
  const space = changetype<Space>(address);
  space.seed = seed;
  space.dimension = dimension;
  space.metric = metric;
  space.bits = bits;
  space.centre = address + SPACE_BYTES;
  space.vector = space.centre + (padded << 2);
  space.query = space.vector + (padded << 2);
  space.other = space.query + queryBytes;
  space.scratch = space.other + queryBytes;
  space.signs = space.scratch + padded;
  drawSigns(space.signs, dimension, seed);
  space.exact = createRows(dimension << 2);
  space.codes = changetype<Rows>(0);
  if (bits != 0) space.codes = createRows(codeStride(bits, dimension));
  if (changetype<u32>(space.exact) == 0 || (bits != 0 && changetype<u32>(space.codes) == 0)) {
    freeSpace(space);
    return changetype<Space>(0);
  }
  return space;
}

export function freeSpace(space: Space): void {
  freeRows(space.exact);
  freeRows(space.codes);
  freeRows(space.draft);
  release(changetype<u32>(space));
}

/** Whether the exact vector of every row is here. */
// @ts-ignore: decorator
@inline
export function isExact(space: Space): bool {
  return space.exactFrom == 0;
}

// @ts-ignore: decorator
@inline
export function exactAt(space: Space, row: u32): u32 {
  return rowAt(space.exact, row - space.exactFrom);
}

/** Takes the mean of the rows that are here, or of a sample spread over them, as the centre of all codes. */
export function centre(space: Space): void {
  const count = space.size - space.exactFrom;
  const sampled = count < SAMPLE_MAX ? count : SAMPLE_MAX;
  const dimension = space.dimension;
  for (let index: u32 = 0; index < dimension; index++) {
    let sum: f64 = 0;
    for (let nth: u32 = 0; nth < sampled; nth++) {
      const row = (((nth as u64) * (count as u64)) / (sampled as u64)) as u32;
      sum += load<f32>(rowAt(space.exact, row) + (index << 2)) as f64;
    }
    store<f32>(space.centre + (index << 2), (sampled == 0 ? 0 : sum / (sampled as f64)) as f32);
  }
  rotate(space.centre, dimension, space.signs);
  space.centred = 1;
}

/** Makes room for the codes of `rows` rows in all, and for draft codes if there are any. */
export function reserveCodes(space: Space, rows: u32): bool {
  if (space.bits != 0 && !reserveRows(space.codes, rows)) return false;
  return changetype<u32>(space.draft) == 0 || reserveRows(space.draft, rows);
}

/** Writes the codes of a row whose exact vector is here and for which there is room. */
export function encodeRow(space: Space, row: u32): void {
  const dimension = space.dimension;
  memory.copy(space.vector, exactAt(space, row), dimension << 2);
  const term = turn(space, true);
  if (space.bits == 8) encode(8, dimension, space.vector, term, space.scratch, rowAt(space.codes, row));
  else if (space.bits == 4) encode(4, dimension, space.vector, term, space.scratch, rowAt(space.codes, row));
  else if (space.bits == 1) encode(1, dimension, space.vector, term, space.scratch, rowAt(space.codes, row));
  if (changetype<u32>(space.draft) != 0) {
    encode(8, dimension, space.vector, term, space.scratch, rowAt(space.draft, row));
  }
}

/**
 * Rotates the vector in `space.vector` and takes its centre off. Gives the term of a code (`isCode`), or the base of a
 * query: for L2 the square of what is left, else what the centres add to the inner product.
 */
function turn(space: Space, isCode: bool): f32 {
  const dimension = space.dimension;
  const vector = space.vector;
  const padded = paddedDimension(1, dimension);
  for (let index = dimension; index < padded; index++) store<f32>(vector + (index << 2), 0);
  rotate(vector, dimension, space.signs);
  let before = f32x4.splat(0);
  let square = f32x4.splat(0);
  let after = f32x4.splat(0);
  for (let at: u32 = 0; at < padded << 2; at += 16) {
    const mean = v128.load(space.centre + at);
    const value = v128.load(vector + at);
    const rest = f32x4.sub(value, mean);
    before = f32x4.add(before, f32x4.mul(value, mean));
    square = f32x4.add(square, f32x4.mul(rest, rest));
    after = f32x4.add(after, f32x4.mul(rest, mean));
    v128.store(vector + at, rest);
  }
  if (space.metric == L2) return sum(square);
  return -sum(isCode ? after : before);
}

// @ts-ignore: decorator
@inline
function sum(value: v128): f32 {
  return f32x4.extract_lane(value, 0) + f32x4.extract_lane(value, 1)
    + (f32x4.extract_lane(value, 2) + f32x4.extract_lane(value, 3));
}

// @ts-ignore: decorator
@inline
function weightOf(space: Space): f32 {
  return space.metric == L2 ? 2 : 1;
}

/** Prepares a caller's query (float32, padded with zeros to 16 bytes, of length 1 for COSINE); gives its address. */
export function prepare<K>(space: Space, vector: u32): u32 {
  if (isFloat<K>()) return vector;
  memory.copy(space.vector, vector, space.dimension << 2);
  const base = turn(space, false);
  prepareQuery(bitsOf<K>(), space.dimension, space.vector, base, weightOf(space), space.query);
  return space.query;
}

/** Prepares a row of the index itself as a query at `target`. */
export function prepareRow<K>(space: Space, address: u32, target: u32): void {
  const dimension = space.dimension;
  if (isFloat<K>()) {
    memory.copy(target, address, dimension << 2);
    for (let index = dimension; index & 3; index++) store<f32>(target + (index << 2), 0);
  } else {
    prepareQueryOfCode(bitsOf<K>(), dimension, address, weightOf(space), target);
  }
}

/** The scores of four rows by address, one a lane. Not inlined: that gains nothing, and costs its size at each call. */
export function score4<K>(metric: u32, dimension: u32, query: u32, a: u32, b: u32, c: u32, d: u32): v128 {
  if (!isFloat<K>()) return estimate4(bitsOf<K>(), dimension, query, a, b, c, d);
  if (metric == L2) return gather4(true, dimension, query, a, b, c, d);
  return f32x4.sub(f32x4.splat(0), gather4(false, dimension, query, a, b, c, d));
}

/** Stores the scores of eight exact vectors, whose numbers (u32) are at `list` and whose table has these fields. */
export function scoreExact8(
  metric: u32, dimension: u32, query: u32, list: u32, chunks: u32, shift: u32, stride: u32, target: u32,
): void {
  const a = rowIn(chunks, shift, stride, load<u32>(list));
  const b = rowIn(chunks, shift, stride, load<u32>(list, 4));
  const c = rowIn(chunks, shift, stride, load<u32>(list, 8));
  const d = rowIn(chunks, shift, stride, load<u32>(list, 12));
  const e = rowIn(chunks, shift, stride, load<u32>(list, 16));
  const f = rowIn(chunks, shift, stride, load<u32>(list, 20));
  const g = rowIn(chunks, shift, stride, load<u32>(list, 24));
  const h = rowIn(chunks, shift, stride, load<u32>(list, 28));
  if (metric == L2) {
    gather8(true, dimension, query, a, b, c, d, e, f, g, h, target);
    return;
  }
  gather8(false, dimension, query, a, b, c, d, e, f, g, h, target);
  v128.store(target, f32x4.sub(f32x4.splat(0), v128.load(target)));
  v128.store(target, f32x4.sub(f32x4.splat(0), v128.load(target, 16)), 16);
}

/** Makes a caller's query ready: of length 1 for COSINE. */
export function prepareExact(space: Space, vector: u32): void {
  if (space.metric == COSINE) normalize(vector, space.dimension);
}

/** The same for rows that were appended. */
export function prepareRows(space: Space, from: u32, to: u32): void {
  if (space.metric != COSINE) return;
  for (let row = from; row < to; row++) normalize(exactAt(space, row), space.dimension);
}
