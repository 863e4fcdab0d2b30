import type { TopK } from '../core/vector/kernel.ts';
import type { IndexSearch, IndexSpec } from '../core/vector/segment-index.ts';
import { bitmapBytes } from './ivf-alive.ts';
import type { IvfHeader, IvfType } from './ivf-exports.ts';
import type { KernelMemory } from './memory.ts';

/** Lists that are searched where `nprobe` does not say how many. */
const NPROBE_MIN = 8;
const NPROBE_SHARE = 16;
/** Candidates for each hit that are ranked exactly, by how rough the codes are. */
const REFINE_FACTORS: Readonly<Record<IvfType, number>> = {
  IVF_FLAT: 0,
  IVF_SQ8: 2,
  IVF_RABITQ: 10,
  IVF_PQ: 8,
  SCANN: 8,
};
const REFINE_MIN = 32;
/** A filter with so many matches, or with this share of all rows, is thin: all of them are ranked. */
const THIN_ROWS = 1000;
const THIN_SHARE = 1 / 50;
/** What queries and hits that go through together may take. */
const TOGETHER_BYTES_MAX = 1024 * 1024;

/** A search in the numbers that the module takes. */
export interface IvfRequest {
  readonly limit: number;
  /** Candidates that are ranked exactly; 0: estimates count. */
  readonly refined: number;
  /** Lists that are searched at least; 0: none, but all rows that are allowed, by their vectors. */
  readonly nprobe: number;
  /** Rows that must have been seen before lists beyond `nprobe` are left out. */
  readonly wanted: number;
}

/** How a search is carried out by an index of this type with so many lists. */
export function requestOf(spec: IndexSpec, search: IndexSearch, listCount: number): IvfRequest {
  const { limit } = search;
  const refined = spec.type === 'IVF_FLAT' || spec.exact === 'none' ? 0 : refineKOf(spec, search);
  const nprobe = search.nprobe ?? Math.max(NPROBE_MIN, Math.ceil(listCount / NPROBE_SHARE));
  return { limit, refined, nprobe, wanted: Math.max(limit, refined) };
}

/**
 * The same with a filter. Of a share s of the rows, the nearest ten lie among 1 / s times as many of all: so lists are
 * read until the root of s times as many matches were seen as there are rows in `nprobe` lists, however the matches
 * are spread. Where that is no less work, all matches are ranked: by their vectors if those are in memory.
 */
function filtered(header: IvfHeader, request: IvfRequest, matches: number, hasVectors: boolean): IvfRequest {
  const size = header.get('size');
  const listCount = header.get('listCount');
  if (matches <= Math.max(THIN_ROWS, THIN_SHARE * size)) {
    return hasVectors ? { ...request, refined: 0, nprobe: 0 } : { ...request, nprobe: Math.max(1, listCount) };
  }
  const seen = size * Math.min(1, request.nprobe / Math.max(1, listCount));
  return { ...request, wanted: Math.max(request.wanted, Math.ceil(seen * Math.sqrt(matches / size))) };
}

/** Candidates of a search, at least its limit; 0 if it asks for none. */
export function refineKOf(spec: IndexSpec, { limit, refineK }: IndexSearch): number {
  if (refineK === 0) return 0;
  const usual = Math.max(REFINE_MIN, REFINE_FACTORS[spec.type as IvfType] * limit);
  return Math.max(limit, refineK ?? usual);
}

export interface IvfQueries {
  readonly queries: Float32Array;
  readonly request: IvfRequest;
  readonly allow: Uint8Array | undefined;
  /** Whether the vectors of all rows are in memory, beside the lists. */
  readonly hasVectors: boolean;
}

/** Searches for all queries; see `SegmentIndex.search`. */
export function searchIvf(
  memory: KernelMemory,
  header: IvfHeader,
  { queries, request: asked, allow, hasVectors }: IvfQueries,
): TopK {
  const { limit } = asked;
  const { exports, address } = header;
  const dimension = header.get('dimension');
  const queryCount = queries.length / dimension;
  const result: TopK = {
    limit,
    counts: new Uint32Array(queryCount),
    rows: new Uint32Array(queryCount * limit),
    distances: new Float32Array(queryCount * limit),
  };
  if (queryCount === 0 || header.get('size') === 0) return result;
  const scratch = allocateScratch(memory, header, asked, { queryCount, hasAllow: allow !== undefined });
  try {
    const bitmap = fillBitmap(memory, header, scratch.bitmap, allow);
    const matches = allow === undefined ? 0 : exports.ivfCount(bitmap, bitmapBytes(header.get('size')));
    const request = allow === undefined ? asked : filtered(header, asked, matches, hasVectors);
    for (let from = 0; from < queryCount; from += scratch.together) {
      const count = Math.min(scratch.together, queryCount - from);
      const some = queries.subarray(from * dimension, (from + count) * dimension);
      memory.floats(scratch.queries, some.length).set(some);
      const { refined, nprobe, wanted } = request;
      const { room, rows, scores, counts } = scratch;
      exports.ivfSearch(
        ...([address, room, scratch.queries, count, limit, refined, nprobe, wanted, bitmap] as const),
        ...([rows, scores, counts] as const),
      );
      for (let query = 0; query < count; query++) collect(memory, header, request, scratch, { query, from, result });
    }
  } finally {
    memory.release(scratch.block);
  }
  return result;
}

interface Scratch {
  readonly block: number;
  readonly bitmap: number;
  readonly room: number;
  readonly queries: number;
  readonly rows: number;
  readonly scores: number;
  readonly counts: number;
  /** Queries that there is room for. */
  readonly together: number;
}

function allocateScratch(
  memory: KernelMemory,
  header: IvfHeader,
  { limit, refined }: IvfRequest,
  { queryCount, hasAllow }: { queryCount: number; hasAllow: boolean },
): Scratch {
  const { exports, address } = header;
  const bitmap = hasAllow ? bitmapBytes(header.get('size')) : 0;
  const room = Math.ceil((exports.ivfProbeBytes(address, limit, refined) >>> 0) / 16) * 16;
  const queryBytes = 4 * header.get('dimension');
  const fitting = Math.floor(TOGETHER_BYTES_MAX / (queryBytes + 8 * limit));
  const together = Math.max(1, Math.min(queryCount, fitting));
  // Kernels read a vector to the end of its last 16 bytes.
  const bytes = bitmap + room + together * (queryBytes + 8 * limit + 4) + 16;
  const block = memory.tryAllocate(bytes);
  if (block === undefined) throw memory.quota(bytes, 'a search');
  const queries = block + bitmap + room;
  const rows = queries + together * queryBytes;
  const scores = rows + 4 * together * limit;
  return {
    block,
    bitmap: block,
    room: block + bitmap,
    queries,
    rows,
    scores,
    counts: scores + 4 * together * limit,
    together,
  };
}

/** Writes the rows that are allowed and were not removed to `target`, and says where they are: 0 for all. */
export function fillBitmap(
  memory: KernelMemory,
  header: IvfHeader,
  target: number,
  allow: Uint8Array | undefined,
): number {
  const alive = header.get('alive');
  if (allow === undefined) return alive;
  const size = header.get('size');
  const bits = memory.bytes.subarray(target, target + bitmapBytes(size)).fill(0);
  bits.set(allow.subarray(0, Math.ceil(size / 8)));
  // Bits behind the last row say nothing.
  if (size % 8 !== 0) bits[size >> 3] = (bits[size >> 3] as number) & ((1 << (size % 8)) - 1);
  if (alive !== 0) header.exports.ivfAnd(target, alive, bitmapBytes(size));
  return target;
}

function collect(
  memory: KernelMemory,
  header: IvfHeader,
  { limit, refined, nprobe }: IvfRequest,
  scratch: Scratch,
  { query, from, result }: { query: number; from: number; result: TopK },
): void {
  const count = memory.words(scratch.counts + 4 * query, 1)[0] as number;
  const target = (from + query) * limit;
  result.counts[from + query] = count;
  result.rows.set(memory.words(scratch.rows + 4 * query * limit, count), target);
  const scores = memory.floats(scratch.scores + 4 * query * limit, count);
  const isExact = refined > 0 || nprobe === 0 || header.get('kind') === 0;
  distancesOf(header, scores, isExact, result.distances.subarray(target, target + count));
}

/** Turns scores, where smaller is nearer, into distances. An estimate of a cosine is kept as 2 - 2 cos. */
export function distancesOf(header: IvfHeader, scores: Float32Array, isExact: boolean, target: Float32Array): void {
  const metric = header.get('metric');
  if (metric === 0) {
    target.set(scores);
    return;
  }
  const isCosineEstimate = metric === 2 && !isExact;
  for (const [index, score] of scores.entries()) target[index] = isCosineEstimate ? 1 - score / 2 : 0 - score;
}
