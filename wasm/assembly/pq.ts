import { codeBytes } from './code';
import { IP } from './elements';
import { dot, Ivf, PQ, Work } from './ivf';
import { ivfCentroidBytes } from './ivf-centroids';
import { leastOf } from './nearest-first';
import { randomAt } from './random';

/**
 * Product quantization: a residual is cut into parts, and each part is replaced by the nearest of 256 codewords (SCANN:
 * 16) of a codebook of the part's own. A book holds its codewords dimension by dimension, so that four or sixteen of
 * them are compared at a time.
 *
 * The distance of a query q and a row x = c + r (c the list's centre, e what the codewords y of r leave over) is
 *
 *     |q - x|^2 = |q - c|^2 + (|y|^2 + 2 <c, y> + |e|^2) - 2 <q, y> - 2 <q - c - y, e>
 *
 * of which the last product is what the estimate leaves out, what is in brackets is stored with the row (its term), and
 * <q, y> is a sum of one table entry a part: one table a query serves all lists.
 *
 * Source: Jégou, Douze and Schmid (2011), with the terms precomputed by row, as in Faiss's by centroid.
 */

/** Codewords of a part. */
// @ts-ignore: decorator
@inline
function wordsOf(kind: u32): u32 {
  return kind == PQ ? 256 : 16;
}

/** Bytes of a part's codebook. */
export function ivfBookBytes(ivf: Ivf): u32 {
  return (ivf.partDimension * wordsOf(ivf.kind)) << 2;
}

/** Bytes of the room that a step of training takes. */
export function ivfTrainBytes(ivf: Ivf): u32 {
  return ivfBookBytes(ivf) + (wordsOf(ivf.kind) << 2) + ((ivf.partDimension + 3) << 2);
}

/**
 * One iteration of k-means for one part, over the residuals of `count` rows of the sample (codes of 8 bits, and their
 * lists). The first iteration begins with the sample's first rows as codewords.
 */
export function ivfTrainPart(
  ivf: Ivf, part: u32, iteration: u32, codes: u32, assigned: u32, count: u32, room: u32,
): void {
  const words = wordsOf(ivf.kind);
  const width = ivf.partDimension;
  const book = ivf.codebooks + part * ivfBookBytes(ivf);
  const counts = room + ivfBookBytes(ivf);
  const residual = counts + (words << 2);
  if (iteration == 0) {
    for (let word: u32 = 0; word < words; word++) {
      residualPart(ivf, part, codes, assigned, word % count, residual);
      setWord(book, words, width, word, residual);
    }
  }
  memory.fill(room, 0, residual - room);
  for (let row: u32 = 0; row < count; row++) {
    residualPart(ivf, part, codes, assigned, row, residual);
    const word = nearestWord(book, words, width, residual);
    store<u32>(counts + (word << 2), load<u32>(counts + (word << 2)) + 1);
    for (let at: u32 = 0; at < width; at++) {
      const sum = room + ((at * words + word) << 2);
      store<f32>(sum, load<f32>(sum) + load<f32>(residual + (at << 2)));
    }
  }
  for (let word: u32 = 0; word < words; word++) {
    const members = load<u32>(counts + (word << 2));
    if (members > 0) {
      for (let at: u32 = 0; at < width; at++) {
        const place = (at * words + word) << 2;
        store<f32>(book + place, load<f32>(room + place) / (members as f32));
      }
    } else {
      const index = ((part as u64) << 32) | ((iteration as u64) << 16) | (word as u64);
      residualPart(ivf, part, codes, assigned, (randomAt(~ivf.seed, index) % (count as u64)) as u32, residual);
      setWord(book, words, width, word, residual);
    }
  }
}

/** A part of the residual of a row of the sample; zeros behind the dimension. */
function residualPart(ivf: Ivf, part: u32, codes: u32, assigned: u32, row: u32, target: u32): void {
  const stride = ivfCentroidBytes(ivf.dimension);
  const gains = codeBytes(8, ivf.dimension) + 4;
  const code = codes + row * stride;
  const centroid = ivf.centroids + load<u32>(assigned + (row << 2)) * stride;
  const gain = load<f32>(code + gains);
  const centroidGain = load<f32>(centroid + gains);
  const from = part * ivf.partDimension;
  for (let at: u32 = 0; at < ivf.partDimension; at++) {
    const dimension = from + at;
    const value: f32 = dimension >= ivf.dimension ? 0
      : ((load<u8>(code + dimension) as f32) - 63.5) * gain
        - ((load<u8>(centroid + dimension) as f32) - 63.5) * centroidGain;
    store<f32>(target + (at << 2), value);
  }
}

function setWord(book: u32, words: u32, width: u32, word: u32, values: u32): void {
  for (let at: u32 = 0; at < width; at++) {
    store<f32>(book + ((at * words + word) << 2), load<f32>(values + (at << 2)));
  }
}

/** The codeword nearest to `values`; of equal ones the first. */
export function nearestWord(book: u32, words: u32, width: u32, values: u32): u32 {
  let best = f32x4.splat(Infinity);
  let found = i32x4.splat(0);
  let numbers = i32x4(0, 1, 2, 3);
  const row = words << 2;
  for (let word: u32 = 0; word < words; word += 8) {
    let at = book + (word << 2);
    let low = f32x4.splat(0);
    let high = low;
    for (let index: u32 = 0; index < width; index++, at += row) {
      const value = v128.load32_splat(values + (index << 2));
      const first = f32x4.sub(value, v128.load(at));
      const second = f32x4.sub(value, v128.load(at, 16));
      low = f32x4.add(low, f32x4.mul(first, first));
      high = f32x4.add(high, f32x4.mul(second, second));
    }
    let isNearer = f32x4.lt(low, best);
    best = v128.bitselect(low, best, isNearer);
    found = v128.bitselect(numbers, found, isNearer);
    numbers = i32x4.add(numbers, i32x4.splat(4));
    isNearer = f32x4.lt(high, best);
    best = v128.bitselect(high, best, isNearer);
    found = v128.bitselect(numbers, found, isNearer);
    numbers = i32x4.add(numbers, i32x4.splat(4));
  }
  return leastOf(best, found);
}

/** Writes the codes of `work.residual`, a byte a part, and gives the row's term. */
export function encodeParts(ivf: Ivf, work: Work, target: u32): f32 {
  const width = ivf.partDimension;
  const book = ivfBookBytes(ivf);
  for (let part: u32 = 0; part < ivf.parts; part++) {
    const values = work.residual + ((part * width) << 2);
    const word = nearestWord(ivf.codebooks + part * book, 256, width, values);
    store<u8>(target + part, word as u8);
    for (let at: u32 = 0; at < width; at++) {
      const wordValue = load<f32>(ivf.codebooks + part * book + ((at * 256 + word) << 2));
      store<f32>(work.exact + ((part * width + at) << 2), wordValue);
    }
  }
  return termOf(ivf, work);
}

/** What is in brackets above, from the codewords in `work.exact`; 0 for IP. */
function termOf(ivf: Ivf, work: Work): f32 {
  if (ivf.metric == IP) return 0;
  const dimension = ivf.dimension;
  const words = dot(work.exact, work.exact, dimension) + 2 * dot(work.centre, work.exact, dimension);
  // |e|^2 = |r|^2 - 2 <r, y> + |y|^2
  const residuals = dot(work.residual, work.residual, dimension) - 2 * dot(work.residual, work.exact, dimension);
  return words + residuals + dot(work.exact, work.exact, dimension);
}

/** Writes weight <q, y> for each part's each codeword (f32). */
export function fillTables(ivf: Ivf, query: u32, weight: f32, target: u32): void {
  const words = wordsOf(ivf.kind);
  const width = ivf.partDimension;
  const row = words << 2;
  let book = ivf.codebooks;
  for (let part: u32 = 0; part < ivf.parts; part++) {
    for (let word: u32 = 0; word < row; word += 16, target += 16) {
      let sum = f32x4.splat(0);
      let at = book + word;
      for (let index: u32 = 0; index < width; index++, at += row) {
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(query + (index << 2)), v128.load(at)));
      }
      v128.store(target, f32x4.mul(sum, f32x4.splat(weight)));
    }
    query += width << 2;
    book += width * row;
  }
}

/** The sum of one table entry a part, for each of four codes. */
// @ts-ignore: decorator
@inline
export function lookUp4(parts: u32, tables: u32, a: u32, b: u32, c: u32, d: u32): v128 {
  let sumA: f32 = 0;
  let sumB: f32 = 0;
  let sumC: f32 = 0;
  let sumD: f32 = 0;
  for (let part: u32 = 0; part < parts; part++, tables += 1024) {
    sumA += load<f32>(tables + ((load<u8>(a + part) as u32) << 2));
    sumB += load<f32>(tables + ((load<u8>(b + part) as u32) << 2));
    sumC += load<f32>(tables + ((load<u8>(c + part) as u32) << 2));
    sumD += load<f32>(tables + ((load<u8>(d + part) as u32) << 2));
  }
  return f32x4(sumA, sumB, sumC, sumD);
}
