import { type ElementType, isLargerNearerBy, type VectorMetric, vectorBytes } from '../core/vector/element.ts';
import type { TopK, VectorRows } from '../core/vector/kernel.ts';
import type { KernelMemory } from './memory.ts';

/** Consecutive rows in the kernel's memory. */
export interface Chunk {
  /** Address of the first row; it is also the address of the allocated block. */
  readonly rows: number;
  /** Address of the inverse lengths; used by COSINE on float32 only. */
  readonly inverses: number;
  /** Number of the first row. */
  readonly first: number;
  readonly capacity: number;
  /** Rows that are there. */
  count: number;
}

export interface ScanRequest {
  readonly elements: ElementType;
  readonly metric: VectorMetric;
  readonly dimension: number;
  /** Float32; for int8 and bits, stored rows. */
  readonly queries: VectorRows;
  readonly limit: number;
  /** Rows below this one are scanned. */
  readonly count: number;
  readonly allow: Uint8Array | undefined;
}

/** The module's numbers for elements and metrics. */
export const ELEMENT_NUMBERS: Readonly<Record<ElementType, number>> = { f32: 0, f16: 1, bf16: 2, int8: 3, bit: 4 };
const METRIC_NUMBERS: Readonly<Record<VectorMetric, number>> = { L2: 0, IP: 1, COSINE: 2, HAMMING: 3, JACCARD: 4 };

/** Queries that go through the rows together: more give no more speed, and each needs its heap. */
const QUERIES_TOGETHER_MAX = 64;
/** What their heaps may take, unless one query alone needs more. */
const HEAPS_BYTES_MAX = 1024 * 1024;

/** Where the parts of one search lie, in one block of the kernel's memory that is released when the search ends. */
interface Scratch {
  readonly block: number;
  /** Address of the bitmap, or 0. */
  readonly bitmap: number;
  readonly queries: number;
  /** Bytes from one query to the next: a multiple of 16. */
  readonly stride: number;
  readonly heaps: number;
  readonly heapStride: number;
  /** Hits that a heap holds. */
  readonly capacity: number;
  /** Queries that there is room for. */
  readonly together: number;
  /** The sorted hits of one query, rows and scores. */
  readonly rows: number;
  readonly scores: number;
}

export function scanChunks(memory: KernelMemory, chunks: readonly Chunk[], request: ScanRequest): TopK {
  const { queries, limit } = request;
  const queryCount = queries.byteLength / queryBytes(request);
  const result: TopK = {
    limit,
    counts: new Uint32Array(queryCount),
    rows: new Uint32Array(queryCount * limit),
    distances: new Float32Array(queryCount * limit),
  };
  if (request.count === 0 || queryCount === 0) return result;
  const scratch = allocateScratch(memory, request, queryCount);
  try {
    for (let from = 0; from < queryCount; from += scratch.together) {
      const to = Math.min(queryCount, from + scratch.together);
      scanTogether(memory, chunks, request, scratch, from, to);
      for (let query = from; query < to; query++) collect(memory, request.metric, scratch, query, from, result);
    }
  } finally {
    memory.release(scratch.block);
  }
  return result;
}

function allocateScratch(memory: KernelMemory, request: ScanRequest, queryCount: number): Scratch {
  const { count, allow } = request;
  const capacity = Math.min(request.limit, count);
  const heapStride = roundUp(memory.exports.heapBytes(capacity));
  const stride = roundUp(queryBytes(request));
  const fitting = Math.floor(HEAPS_BYTES_MAX / heapStride);
  const together = Math.min(queryCount, QUERIES_TOGETHER_MAX, Math.max(1, fitting));
  // The scan loads 8 bytes of the bitmap at a time, at any of its bytes.
  const bitmapBytes = allow === undefined ? 0 : roundUp(Math.ceil(count / 8) + 8);
  const hitsBytes = roundUp(capacity * Uint32Array.BYTES_PER_ELEMENT);
  const bytes = bitmapBytes + together * (stride + heapStride) + 2 * hitsBytes;
  const block = memory.tryAllocate(bytes);
  if (block === undefined) throw memory.quota(bytes, 'a search');
  if (allow !== undefined) memory.bytes.set(allow.subarray(0, Math.ceil(count / 8)), block);
  const queries = block + bitmapBytes;
  const heaps = queries + together * stride;
  const rows = heaps + together * heapStride;
  return {
    block,
    bitmap: allow === undefined ? 0 : block,
    queries,
    stride,
    heaps,
    heapStride,
    capacity,
    together,
    rows,
    scores: rows + hitsBytes,
  };
}

/** Scans all chunks for the queries from `from` up to `to`, which share the scratch. */
function scanTogether(
  memory: KernelMemory,
  chunks: readonly Chunk[],
  request: ScanRequest,
  scratch: Scratch,
  from: number,
  to: number,
): void {
  const { exports } = memory;
  const { dimension, elements, metric } = request;
  const { queries, stride, heaps, heapStride } = scratch;
  const given = new Uint8Array(request.queries.buffer, request.queries.byteOffset, request.queries.byteLength);
  const bytes = queryBytes(request);
  memory.bytes.fill(0, queries, queries + (to - from) * stride);
  for (let query = from; query < to; query++) {
    const address = queries + (query - from) * stride;
    memory.bytes.set(given.subarray(query * bytes, (query + 1) * bytes), address);
    if (metric === 'COSINE' && elements !== 'int8') exports.normalize(address, dimension);
    exports.clearHeap(heaps + (query - from) * heapStride, scratch.capacity);
  }
  for (const { rows, inverses, first, count } of chunks) {
    const scanned = Math.min(count, request.count - first);
    if (scanned <= 0) break;
    const { bitmap } = scratch;
    exports.scan(
      ...([ELEMENT_NUMBERS[elements], METRIC_NUMBERS[metric], dimension] as const),
      ...([rows, inverses, first, scanned, bitmap] as const),
      ...([queries, to - from, stride, heaps, heapStride] as const),
    );
  }
}

/** Copies the hits of one query out, and turns scores, where smaller is nearer, back into distances. */
function collect(
  memory: KernelMemory,
  metric: VectorMetric,
  scratch: Scratch,
  query: number,
  first: number,
  result: TopK,
): void {
  const { rows, scores, heaps, heapStride } = scratch;
  const count = memory.exports.drainHeap(heaps + (query - first) * heapStride, rows, scores);
  const target = query * result.limit;
  result.counts[query] = count;
  result.rows.set(memory.words(rows, count), target);
  const found = memory.floats(scores, count);
  if (!isLargerNearerBy(metric)) result.distances.set(found, target);
  else for (let index = 0; index < count; index++) result.distances[target + index] = 0 - (found[index] as number);
}

function queryBytes({ queries, elements, dimension }: ScanRequest): number {
  return elements === 'int8' || elements === 'bit'
    ? vectorBytes(elements, dimension)
    : dimension * queries.BYTES_PER_ELEMENT;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
