import { ElanusError } from '../base/error.ts';
import { SmallestHeap } from '../base/heap.ts';
import { batchBytes, concatBatches, gatherBatch } from '../column/gather.ts';
import type { ColumnBatch, Key } from '../model/column.ts';
import type { SegmentTrace } from '../model/inspection.ts';
import { ANSWER_BYTES_MAX } from '../model/limits.ts';
import { compareDistances, type Metric } from '../model/metric.ts';
import { type CollectionMeta, isVector, metricOf, primaryField } from '../model/schema.ts';
import { evaluate } from '../query/evaluate.ts';
import type { Expression } from '../query/expression.ts';
import { fieldsOf } from '../query/keys.ts';
import { compareKeys } from '../query/reduce.ts';
import type { Segment } from '../segment/segment.ts';
import type { TopK } from '../vector/kernel.ts';
import type { ChannelView } from './channel-state.ts';
import type { CountRequest, QueryAnswer, QueryRequest, SearchAnswer, SearchRequest } from './protocol.ts';
import type { Stopwatch } from './stopwatch.ts';

/**
 * What the reads of a channel compute from one view of it. Each loads what it needs of the sealed segments, then
 * computes without waiting; the view's timestamp decides what is visible, whatever happens meanwhile.
 */

/** A row of the view. */
interface Place {
  readonly segment: number;
  readonly row: number;
}

/** The nearest visible rows of each query, over all segments, with the fields that were asked for. */
export async function searchView(
  view: ChannelView,
  meta: CollectionMeta,
  request: SearchRequest,
  watch?: Stopwatch,
): Promise<SearchAnswer> {
  const waitMs = watch?.lap() ?? 0;
  const segments: SegmentTrace[] = [];
  const metric = metricOf(meta, request.fieldId);
  const rowCount = view.segments.reduce((sum, { rows }) => sum + rows, 0);
  const limit = Math.min(request.limit, Math.max(rowCount, 1));
  refuseLargeAnswer(request.queryCount * limit * 8, 'Lower `limit`, or send fewer query vectors at once.');
  const found: TopK[] = [];
  await eachLoaded(view, [request.fieldId, ...filterFields(request.filter)], (segment, rows) => {
    const loadMs = watch?.lap() ?? 0;
    const allow = allowed(segment, view.timestamp, rows, request.filter);
    const filterMs = watch?.lap() ?? 0;
    found.push(segment.search(request.fieldId, request.queries, limit, allow, rows));
    if (watch === undefined) return;
    const scanMs = watch.lap();
    const { id, state } = segment;
    segments.push({ id, state, rows, rowsAllowed: countBits(allow), loadMs, filterMs, scanMs });
  });
  const counts = new Uint32Array(request.queryCount);
  const places: Place[] = [];
  const distances: number[] = [];
  for (let query = 0; query < request.queryCount; query++) {
    const hits: (Place & { readonly distance: number })[] = [];
    for (const [segment, top] of found.entries()) {
      const start = query * top.limit;
      for (let hit = start; hit < start + (top.counts[query] ?? 0); hit++) {
        hits.push({ segment, row: top.rows[hit] ?? 0, distance: top.distances[hit] ?? 0 });
      }
    }
    const nearest = view.segments.length === 1 ? hits : nearestFirst(hits, metric).slice(0, limit);
    counts[query] = nearest.length;
    for (const hit of nearest) {
      places.push(hit);
      distances.push(hit.distance);
    }
  }
  const mergeMs = watch?.lap() ?? 0;
  const batch = await gather(view, meta, places, request.output.fieldIds);
  const answer = { timestamp: view.timestamp, counts, distances: Float32Array.from(distances), batch };
  if (watch === undefined) return answer;
  return { ...answer, trace: { channel: request.channel, waitMs, segments, mergeMs, fetchMs: watch.lap() } };
}

/** The visible rows that match, ascending by primary key. */
export async function queryView(view: ChannelView, meta: CollectionMeta, request: QueryRequest): Promise<QueryAnswer> {
  const found = await matchingRows(view, meta, request);
  const batch = await gather(view, meta, found, request.output.fieldIds);
  return { timestamp: view.timestamp, batch };
}

/** How many visible rows match. */
export async function countView(view: ChannelView, request: CountRequest): Promise<number> {
  let count = 0;
  await eachLoaded(view, filterFields(request.filter), (segment, rows) => {
    count += countBits(allowed(segment, view.timestamp, rows, request.filter));
  });
  return count;
}

/** The keys of the visible rows that match, ascending. */
export async function matchingKeys(view: ChannelView, meta: CollectionMeta, filter: Expression): Promise<Key[]> {
  return (await matchingRows(view, meta, { filter })).map(({ key }) => key);
}

type Keyed = Place & { readonly key: Key };

async function matchingRows(
  view: ChannelView,
  meta: CollectionMeta,
  request: Pick<QueryRequest, 'filter' | 'keys' | 'limit'>,
): Promise<Keyed[]> {
  if (request.limit === 0) return [];
  const wanted = request.keys === undefined ? undefined : new Set(request.keys);
  const keyField = primaryField(meta.schema).id;
  const fields = [keyField, ...filterFields(request.filter)];
  const heap = new SmallestHeap<Keyed>(request.limit ?? Number.POSITIVE_INFINITY, (a, b) => compareKeys(a.key, b.key));
  const mayMatch = (segment: Segment): boolean =>
    wanted === undefined || [...wanted].some((key) => segment.mayContain(key));
  await eachLoaded(
    view,
    fields,
    (segment, rows, index) => {
      const allow = allowed(segment, view.timestamp, rows, request.filter);
      const keys = segment.column(keyField).values as ArrayLike<Key>;
      for (let row = 0; row < rows; row++) {
        if (((allow[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue;
        const key = keys[row] as Key;
        if (wanted === undefined || wanted.has(key)) heap.offer({ segment: index, row, key });
      }
    },
    mayMatch,
  );
  return heap.sorted();
}

function filterFields(filter: Expression | undefined): number[] {
  return filter === undefined ? [] : fieldsOf(filter);
}

/** Segments read ahead of the one that is computed. */
const READ_AHEAD = 3;

/**
 * Visits the segments in order, each with these fields in memory; the next ones are read meanwhile. One at a time is
 * enough memory: what was visited may make room for what comes.
 */
async function eachLoaded(
  view: ChannelView,
  fieldIds: readonly number[],
  visit: (segment: Segment, rows: number, index: number) => void,
  wants: (segment: Segment) => boolean = () => true,
): Promise<void> {
  const segments = [...view.segments.entries()].filter(([, { segment }]) => wants(segment));
  for (const [at, [index, { segment, rows }]] of segments.entries()) {
    const visited = segment.visit(fieldIds, () => visit(segment, rows, index));
    for (const [, ahead] of segments.slice(at + 1, at + 1 + READ_AHEAD)) ahead.segment.prefetch(fieldIds);
    await visited;
  }
}

/** The bitmap of the rows that are visible and match. */
function allowed(segment: Segment, timestamp: bigint, rows: number, filter: Expression | undefined): Uint8Array {
  return segment.allow(timestamp, rows, filter === undefined ? undefined : evaluate(filter, segment, rows));
}

function nearestFirst<Hit extends Place & { readonly distance: number }>(hits: Hit[], metric: Metric): Hit[] {
  return hits.sort(
    (a, b) => compareDistances(metric, a.distance, b.distance) || a.segment - b.segment || a.row - b.row,
  );
}

/** The rows at `places`, in that order: each segment is asked once, then the pieces are put in order. */
async function gather(
  view: ChannelView,
  meta: CollectionMeta,
  places: readonly Place[],
  fieldIds: readonly number[],
): Promise<ColumnBatch> {
  const vectorBytes = meta.schema.fields
    .filter((field) => isVector(field) && fieldIds.includes(field.id))
    .reduce((sum, field) => sum + 4 * (field.dimension ?? 0), 0);
  refuseLargeAnswer(places.length * vectorBytes, 'Lower `limit`, or leave vectors out of `outputFields`.');
  const rowsOf = new Map<number, number[]>();
  const order = new Uint32Array(places.length);
  for (const { segment, row } of places) {
    const rows = rowsOf.get(segment);
    if (rows === undefined) rowsOf.set(segment, [row]);
    else rows.push(row);
  }
  const starts = new Map<number, number>();
  let start = 0;
  for (const [segment, rows] of rowsOf) {
    starts.set(segment, start);
    start += rows.length;
  }
  for (const [at, { segment }] of places.entries()) {
    const next = starts.get(segment) ?? 0;
    order[at] = next;
    starts.set(segment, next + 1);
  }
  const pieces = await Promise.all(
    [...rowsOf].map(async ([index, rows]) => {
      const segment = (view.segments[index] as ChannelView['segments'][number]).segment;
      return segment.visit(fieldIds, () => segment.gather(Uint32Array.from(rows), fieldIds));
    }),
  );
  const bytes = pieces.reduce((sum, piece) => sum + batchBytes(piece), 0);
  refuseLargeAnswer(bytes, 'Lower `limit`, or name fewer `outputFields`.');
  const only = pieces.length === 1 ? pieces[0] : undefined;
  return only ?? gatherBatch(concatBatches(pieces), order);
}

function refuseLargeAnswer(bytes: number, advice: string): void {
  if (bytes <= ANSWER_BYTES_MAX) return;
  throw new ElanusError(
    'invalid',
    `The answer would take at least ${bytes} bytes, more than ${ANSWER_BYTES_MAX}. ${advice}`,
    {
      milvusCode: 1102,
      details: { bytes, bytesMax: ANSWER_BYTES_MAX },
    },
  );
}

function countBits(bitmap: Uint8Array): number {
  let count = 0;
  for (const byte of bitmap) for (let bits = byte; bits !== 0; bits &= bits - 1) count++;
  return count;
}
