import type { TopK } from '../core/vector/kernel.ts';
import type { IndexSpec } from '../core/vector/segment-index.ts';
import { WasmFlat } from './flat.ts';
import { METRIC_NUMBERS } from './hnsw-search.ts';
import type { KernelMemory } from './memory.ts';

/** The candidates of one query, and the exact vectors that were handed in for them. */
export interface RefineRequest {
  readonly query: Float32Array;
  /** Ascending: vectors that are equally near stay in this order. */
  readonly rows: Uint32Array;
  /** Of `rows`, one after another. */
  readonly vectors: Float32Array;
  readonly limit: number;
}

/** The module's number for float32. */
const F32 = 0;
/** A place among candidates has fewer bits than this, so that place and score make one number. */
const PLACES = 2 ** 20;

/**
 * The nearest of the candidates by their exact vectors. One with values that are not finite may count as the farthest.
 * Throws `quota` if there is no room for the vectors.
 */
export function exactRanking(memory: KernelMemory, spec: IndexSpec, request: RefineRequest): TopK {
  const { rows, limit } = request;
  const count = Math.min(rows.length, limit);
  const found = {
    limit,
    counts: Uint32Array.of(count),
    rows: new Uint32Array(limit),
    distances: new Float32Array(limit),
  };
  if (rows.length === 0) return found;
  if (spec.elements === 'bit') return bitRanking(memory, spec, request);
  const scores = scoresOf(memory, spec, request);
  const order = orderOf(scores);
  for (let at = 0; at < count; at++) {
    const place = (order[at] as number) % PLACES;
    const score = scores[place] as number;
    found.rows[at] = rows[place] as number;
    found.distances[at] = spec.metric === 'L2' ? score : 0 - score;
  }
  return found;
}

/** Scores of all candidates, where smaller is nearer; what is no number is infinite. */
function scoresOf(memory: KernelMemory, spec: IndexSpec, { query, vectors, rows }: RefineRequest): Float32Array {
  const { dimension, metric } = spec;
  const rowBytes = dimension * Float32Array.BYTES_PER_ELEMENT;
  const queryBytes = roundUp(rowBytes);
  const wordsBytes = roundUp(rows.length * Uint32Array.BYTES_PER_ELEMENT);
  const bytes = queryBytes + 2 * wordsBytes + vectors.byteLength;
  const block = memory.tryAllocate(bytes);
  if (block === undefined) throw memory.quota(bytes, 'the vectors of candidates');
  const [list, target] = [block + queryBytes, block + queryBytes + wordsBytes];
  const first = target + wordsBytes;
  const padded = memory.floats(block, queryBytes / Float32Array.BYTES_PER_ELEMENT);
  padded.fill(0, dimension);
  padded.set(query);
  memory.floats(first, vectors.length).set(vectors);
  const addresses = memory.words(list, rows.length);
  for (let at = 0; at < addresses.length; at++) addresses[at] = first + at * rowBytes;
  if (metric === 'COSINE') memory.exports.normalize(block, dimension);
  memory.exports.distances(F32, METRIC_NUMBERS[metric] as number, dimension, block, list, rows.length, target);
  const scores = memory.floats(target, rows.length).slice();
  memory.release(block);
  for (let at = 0; at < scores.length; at++) {
    if (Number.isNaN(scores[at])) scores[at] = Number.POSITIVE_INFINITY;
  }
  return scores;
}

/** The places of the scores, the nearest first, each below a number that orders as its score does. */
function orderOf(scores: Float32Array): Float64Array {
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = new Float64Array(scores.length);
  for (let place = 0; place < keys.length; place++) {
    const word = bits[place] as number;
    keys[place] = ((word ^ ((word >> 31) | 0x8000_0000)) >>> 0) * PLACES + place;
  }
  return keys.sort();
}

/** Bits are few bytes: they are searched as rows of an index are. */
function bitRanking(memory: KernelMemory, spec: IndexSpec, { query, rows, vectors, limit }: RefineRequest): TopK {
  const flat = new WasmFlat(memory, spec.dimension, spec.metric, 'bit');
  try {
    flat.append(vectors);
    const found = flat.search(query, limit);
    for (let at = 0; at < (found.counts[0] as number); at++) found.rows[at] = rows[found.rows[at] as number] as number;
    return found;
  } finally {
    flat.free();
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
