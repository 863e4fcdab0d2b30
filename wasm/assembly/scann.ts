import { LOW_BITS_4 } from './code-query';
import { IP } from './elements';
import { dot, Ivf, Work } from './ivf';
import { leastOf } from './nearest-first';
import { ivfBookBytes, nearestWord } from './pq';

/**
 * Codes of 4 bits for every two dimensions, looked up for 16 rows by one instruction. 32 rows make a block: for each
 * part 16 bytes, whose low halves are the codewords of rows 0 to 15 and whose high halves those of rows 16 to 31.
 *
 * Codewords are chosen so that the error along the vector counts more than across it, since a query whose neighbour
 * this is points the same way: |e|^2 + (eta - 1) <e, x / |x|>^2, minimized by descending part after part.
 *
 * Sources: Guo et al., "Accelerating large-scale inference with anisotropic vector quantization" (ScaNN, 2020), theorem
 * 3.2 and its T = 0.2; the blocks of André, Kermarrec and Le Scouarnec, "Quicker ADC" (2017). As in ScaNN the codebooks
 * come from plain k-means.
 */

/** Rows of a block. */
export const BLOCK_ROWS: u32 = 32;
/** The cosine from which on neighbours count: T of the paper, squared. */
const THRESHOLD_SQUARED: f32 = 0.04;
/** Times that all parts are gone through at most: four find no more (measured). */
const ROUNDS: u32 = 2;
/** Parts after which sums of 16 bits are carried over: each pair of parts adds at most 254. */
const CARRY_PARTS: u32 = 512;
/** The largest entry of a table: two of them fit a byte. */
const ENTRY_MAX: f32 = 127;

/** Sums of a block's 32 rows (u32). */
const SUMS: u32 = memory.data(128, 16) as u32;

/** Bytes of a block. */
// @ts-ignore: decorator
@inline
export function blockBytes(parts: u32): u32 {
  return parts << 4;
}

/** Encodes `work.residual` as row `place` of the blocks at `to`, and gives its term: |x|^2 - |c|^2, for IP 0. */
export function encodeBlocked(ivf: Ivf, work: Work, to: u32, place: u32): f32 {
  const dimension = ivf.dimension;
  const isProduct = ivf.metric == IP;
  direct(ivf, work, isProduct);
  const eta = ((dimension - 1) as f32) * (THRESHOLD_SQUARED / (1 - THRESHOLD_SQUARED));
  chooseWords(ivf, work, eta > 1 ? eta - 1 : 0);
  for (let part: u32 = 0; part < ivf.parts; part++) {
    setHalf(ivf.parts, to, place, part, load<u8>(work.bytes + part));
  }
  if (isProduct) return 0;
  return dot(work.vector, work.vector, dimension) - dot(work.centre, work.centre, dimension);
}

/** Writes the direction of the vector to `work.exact`. */
function direct(ivf: Ivf, work: Work, isProduct: bool): void {
  const bytes = ivf.dimension << 2;
  for (let at: u32 = 0; at < bytes; at += 16) {
    let values = v128.load(work.vector + at);
    if (isProduct) values = f32x4.add(values, v128.load(ivf.mean + at));
    v128.store(work.exact + at, values);
  }
  const square = dot(work.exact, work.exact, ivf.dimension);
  const factor = f32x4.splat(square > 0 ? 1 / sqrt<f32>(square) : 0);
  for (let at: u32 = 0; at < bytes; at += 16) {
    v128.store(work.exact + at, f32x4.mul(v128.load(work.exact + at), factor));
  }
}

/** Writes the codewords, a byte a part, to `work.bytes`. `weight` is eta - 1. */
function chooseWords(ivf: Ivf, work: Work, weight: f32): void {
  const bytes = ivfBookBytes(ivf);
  let along: f32 = 0;
  for (let part: u32 = 0; part < ivf.parts; part++) {
    const book = ivf.codebooks + part * bytes;
    const word = nearestWord(book, 16, 2, work.residual + (part << 3));
    store<u8>(work.bytes + part, word as u8);
    along += alongOf(work, part, book, word);
  }
  for (let round: u32 = 0; round < ROUNDS; round++) {
    let changed = false;
    for (let part: u32 = 0; part < ivf.parts; part++) {
      const book = ivf.codebooks + part * bytes;
      const before: u32 = load<u8>(work.bytes + part);
      const others = along - alongOf(work, part, book, before);
      const word = cheapestWord(work, part, book, others, weight);
      if (word == before) continue;
      store<u8>(work.bytes + part, word as u8);
      along = others + alongOf(work, part, book, word);
      changed = true;
    }
    if (!changed) return;
  }
}

/** The error of one part along the direction. */
// @ts-ignore: decorator
@inline
function alongOf(work: Work, part: u32, book: u32, word: u32): f32 {
  const at = part << 3;
  const first = load<f32>(work.residual + at) - load<f32>(book + (word << 2));
  const second = load<f32>(work.residual + at, 4) - load<f32>(book + (word << 2), 64);
  return first * load<f32>(work.exact + at) + second * load<f32>(work.exact + at, 4);
}

/** The codeword of one part that costs least when the other parts' error along the direction is `others`. */
function cheapestWord(work: Work, part: u32, book: u32, others: f32, weight: f32): u32 {
  const at = part << 3;
  const first = v128.load32_splat(work.residual + at);
  const second = v128.load32_splat(work.residual + at, 4);
  const alongFirst = v128.load32_splat(work.exact + at);
  const alongSecond = v128.load32_splat(work.exact + at, 4);
  let best = f32x4.splat(Infinity);
  let found = i32x4.splat(0);
  let numbers = i32x4(0, 1, 2, 3);
  for (let word: u32 = 0; word < 64; word += 16) {
    const a = f32x4.sub(first, v128.load(book + word));
    const b = f32x4.sub(second, v128.load(book + word, 64));
    const along = f32x4.add(f32x4.splat(others), f32x4.add(f32x4.mul(a, alongFirst), f32x4.mul(b, alongSecond)));
    const cost = f32x4.add(
      f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)),
      f32x4.mul(f32x4.mul(along, along), f32x4.splat(weight)),
    );
    const isLess = f32x4.lt(cost, best);
    best = v128.bitselect(cost, best, isLess);
    found = v128.bitselect(numbers, found, isLess);
    numbers = i32x4.add(numbers, i32x4.splat(4));
  }
  return leastOf(best, found);
}

/** Writes half a byte, which is zero so far. */
// @ts-ignore: decorator
@inline
function setHalf(parts: u32, blocks: u32, row: u32, part: u32, word: u8): void {
  const at = blocks + (row >> 5) * blockBytes(parts) + (part << 4) + (row & 15);
  store<u8>(at, load<u8>(at) | (word << (((row & 16) >> 2) as u8)));
}

/** Copies the codes of row `index` of some blocks to row `place`, which is zero so far, of others. */
export function moveBlocked(parts: u32, from: u32, index: u32, to: u32, place: u32): void {
  let at = from + (index >> 5) * blockBytes(parts) + (index & 15);
  const shift = ((index & 16) >> 2) as u8;
  for (let part: u32 = 0; part < parts; part++, at += 16) {
    setHalf(parts, to, place, part, (load<u8>(at) >> shift) & 15);
  }
}

/**
 * Brings the tables (f32, 16 entries a part) to 0 to 127 (u8 at `target`) by one scale. An estimate is then
 * `offset` + `scale` * (the sum of the entries), which are stored behind the entries.
 */
export function quantizeTables(parts: u32, tables: u32, target: u32): void {
  let range: f32 = 0;
  let offset: f32 = 0;
  for (let part: u32 = 0; part < parts; part++) {
    const least = extreme(tables + (part << 6), false);
    range = max(range, extreme(tables + (part << 6), true) - least);
    offset += least;
  }
  const inverse = f32x4.splat(range > 0 ? ENTRY_MAX / range : 0);
  for (let part: u32 = 0; part < parts; part++) {
    const least = f32x4.splat(extreme(tables + (part << 6), false));
    for (let word: u32 = 0; word < 16; word += 4) {
      const value = f32x4.mul(f32x4.sub(v128.load(tables + (part << 6) + (word << 2)), least), inverse);
      const whole = i32x4.trunc_sat_f32x4_u(f32x4.nearest(value));
      const bytes = v128.shuffle<i8>(whole, whole, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
      v128.store_lane<u32>(target + (part << 4) + word, bytes, 0);
    }
  }
  store<f32>(target + (parts << 4), offset);
  store<f32>(target + (parts << 4), range / ENTRY_MAX, 4);
}

/** The largest or the least of 16 values. */
function extreme(values: u32, isLargest: bool): f32 {
  let found = load<f32>(values);
  for (let at: u32 = 4; at < 64; at += 4) {
    const value = load<f32>(values + at);
    found = isLargest ? max(found, value) : min(found, value);
  }
  return found;
}

/** Writes the estimated sums of a block's 32 rows (f32). */
export function lookUpBlock(parts: u32, tables: u32, block: u32, target: u32): void {
  const scale = f32x4.splat(load<f32>(tables + (parts << 4), 4));
  const offset = f32x4.splat(load<f32>(tables + (parts << 4)));
  memory.fill(SUMS, 0, 128);
  for (let part: u32 = 0; part < parts; part += CARRY_PARTS) {
    const rest = parts - part;
    sumParts(rest < CARRY_PARTS ? rest : CARRY_PARTS, tables + (part << 4), block + (part << 4));
  }
  for (let at: u32 = 0; at < 128; at += 16) {
    const sums = f32x4.convert_i32x4_u(v128.load(SUMS + at));
    v128.store(target + at, f32x4.add(offset, f32x4.mul(sums, scale)));
  }
}

/** Adds at most `CARRY_PARTS` parts to `SUMS`. */
function sumParts(parts: u32, tables: u32, block: u32): void {
  const mask = v128.load(LOW_BITS_4);
  let low = i16x8.splat(0);
  let lowOdd = low;
  let high = low;
  let highOdd = low;
  const end = block + ((parts & ~1) << 4);
  for (; block < end; block += 32, tables += 32) {
    const first = v128.load(block);
    const second = v128.load(block, 16);
    const table = v128.load(tables);
    const other = v128.load(tables, 16);
    const lows = i8x16.add(pick(table, v128.and(first, mask)), pick(other, v128.and(second, mask)));
    const highs = i8x16.add(
      pick(table, v128.and(i16x8.shr_u(first, 4), mask)), pick(other, v128.and(i16x8.shr_u(second, 4), mask)),
    );
    // The sums of whole words take the odd bytes along; what those add up to is taken off in the end.
    low = i16x8.add(low, lows);
    lowOdd = i16x8.add(lowOdd, i16x8.shr_u(lows, 8));
    high = i16x8.add(high, highs);
    highOdd = i16x8.add(highOdd, i16x8.shr_u(highs, 8));
  }
  if (parts & 1) {
    const first = v128.load(block);
    const table = v128.load(tables);
    const lows = pick(table, v128.and(first, mask));
    const highs = pick(table, v128.and(i16x8.shr_u(first, 4), mask));
    low = i16x8.add(low, lows);
    lowOdd = i16x8.add(lowOdd, i16x8.shr_u(lows, 8));
    high = i16x8.add(high, highs);
    highOdd = i16x8.add(highOdd, i16x8.shr_u(highs, 8));
  }
  addSums(SUMS, i16x8.sub(low, i16x8.shl(lowOdd, 8)), lowOdd);
  addSums(SUMS + 64, i16x8.sub(high, i16x8.shl(highOdd, 8)), highOdd);
}

// @ts-ignore: decorator
@inline
function pick(table: v128, indexes: v128): v128 {
  // Indexes are below 16, where both give the same.
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indexes);
  return i8x16.swizzle(table, indexes);
}

/** Adds the sums of 16 rows: those with even numbers, and those with odd ones. */
function addSums(target: u32, even: v128, odd: v128): void {
  const first = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  const last = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(target, i32x4.add(v128.load(target), i32x4.extend_low_i16x8_u(first)));
  v128.store(target, i32x4.add(v128.load(target, 16), i32x4.extend_high_i16x8_u(first)), 16);
  v128.store(target, i32x4.add(v128.load(target, 32), i32x4.extend_low_i16x8_u(last)), 32);
  v128.store(target, i32x4.add(v128.load(target, 48), i32x4.extend_high_i16x8_u(last)), 48);
}
