import { prepareQuery } from './code-query';
import { IP } from './elements';
import { Ivf, ivfWorkBytes, openWork, PQ, queryToSpace, SCANN, VECTORS, Work } from './ivf';
import { scoreLists } from './ivf-centroids';
import { scanList, scanMatches, scanPending, scoreRows, Sink } from './ivf-scan';
import { entryOf, heapify, pop } from './nearest-first';
import { fillTables } from './pq';
import { quantizeTables } from './scann';
import { clearHeap, drainHeap, heapBytes } from './top-k';

/**
 * A search: the lists in the order of their centroids, the nearest `nprobe`; more only while the rows that may be found
 * there are fewer than are wanted, so that a thin filter costs lists, not hits.
 */

/** The room of one search, laid out by `openProbe`. */
// @ts-ignore: decorator
@unmanaged
export class Probe {
  work: Work;
  /** What codes are looked up in: f32, and for SCANN the bytes. */
  tables: u32;
  bytes: u32;
  /** Lists that are still to come, nearest first. */
  lists: u32;
  listCount: u32;
  sink: Sink;
  /** Candidates: a heap, their numbers and their estimates. */
  heap: u32;
  rows: u32;
  scores: u32;
  /** Where hits are gathered. */
  hits: u32;
}

const PROBE_BYTES: u32 = 64;

// @ts-ignore: decorator
@inline
function rounded(bytes: u32): u32 {
  return (bytes + 15) & ~15;
}

/** Bytes of the tables of one query. */
function tablesBytes(ivf: Ivf): u32 {
  if (ivf.kind == PQ) return ivf.parts << 10;
  return ivf.kind == SCANN ? ivf.parts << 6 : 0;
}

/** Bytes of the room for a search with `limit` hits and `refined` candidates (0: none are ranked again). */
export function ivfProbeBytes(ivf: Ivf, limit: u32, refined: u32): u32 {
  return PROBE_BYTES + rounded(ivfWorkBytes(ivf.dimension)) + tablesBytes(ivf) + rounded((ivf.parts << 4) + 16)
    + rounded(ivf.listCount << 3) + rounded((ivf.listCount << 2) + 16)
    + rounded(heapBytes(limit)) + rounded(heapBytes(refined)) + 2 * rounded(refined << 2);
}

export function openProbe(ivf: Ivf, room: u32, limit: u32, refined: u32): Probe {
  memory.fill(room, 0, PROBE_BYTES);
  const probe = changetype<Probe>(room);
  let at = room + PROBE_BYTES;
  probe.sink = changetype<Sink>(room + 48);
  probe.work = openWork(at, ivf.dimension);
  at += rounded(ivfWorkBytes(ivf.dimension));
  probe.tables = at;
  at += tablesBytes(ivf);
  probe.bytes = at;
  at += rounded((ivf.parts << 4) + 16);
  probe.lists = at;
  at += rounded(ivf.listCount << 3) + rounded((ivf.listCount << 2) + 16);
  probe.hits = at;
  at += rounded(heapBytes(limit));
  probe.heap = at;
  at += rounded(heapBytes(refined));
  probe.rows = at;
  probe.scores = at + rounded(refined << 2);
  return probe;
}

/** Brings a query into the space, orders the lists by it and makes its tables. */
export function openQuery(ivf: Ivf, probe: Probe, query: u32): void {
  const work = probe.work;
  queryToSpace(ivf, query, work);
  probe.listCount = ivf.listCount;
  if (ivf.listCount == 0) return;
  prepareQuery(8, ivf.dimension, work.vector, 0, 2, work.query);
  const scores = probe.lists + rounded(ivf.listCount << 3);
  scoreLists(ivf, work.query, ivf.metric == IP, scores);
  for (let list: u32 = 0; list < ivf.listCount; list++) {
    store<u64>(probe.lists + (list << 3), entryOf(load<f32>(scores + (list << 2)), list));
  }
  heapify(probe.lists, ivf.listCount);
  if (ivf.kind < PQ) return;
  fillTables(ivf, work.vector, ivf.metric == IP ? 1 : 2, probe.tables);
  if (ivf.kind == SCANN) quantizeTables(ivf.parts, probe.tables, probe.bytes);
}

/** Takes the next list. */
// @ts-ignore: decorator
@inline
export function nextList(probe: Probe): u32 {
  const list = pop(probe.lists, probe.listCount) as u32;
  probe.listCount -= 1;
  return list;
}

// @ts-ignore: decorator
@inline
export function tablesOf(ivf: Ivf, probe: Probe): u32 {
  return ivf.kind == SCANN ? probe.bytes : probe.tables;
}

/**
 * The nearest `limit` rows of each query, by exact scores of the best `refined` candidates, or by estimates if that is
 * 0. At least `nprobe` lists are searched, and so many that at least `wanted` rows were seen; with an `nprobe` of 0 no
 * list, but all rows of the bitmap, by their vectors. `bitmap` has the rows that may be found (0: all). Writes `limit` row numbers (u32) and scores (f32) a query, and each query's count.
 */
export function ivfSearch(
  ivf: Ivf, room: u32, queries: u32, queryCount: u32, limit: u32, refined: u32, nprobe: u32, wanted: u32, bitmap: u32,
  rows: u32, scores: u32, counts: u32,
): void {
  const probe = openProbe(ivf, room, limit, refined);
  const sink = probe.sink;
  const isExact = ivf.kind == VECTORS;
  for (let query: u32 = 0; query < queryCount; query++) {
    const values = queries + query * (ivf.dimension << 2);
    const found = query * (limit << 2);
    clearHeap(probe.hits, limit);
    sink.heap = probe.hits;
    if (nprobe == 0) {
      queryToSpace(ivf, values, probe.work);
      scanMatches(ivf, bitmap, probe.work, sink);
      store<u32>(counts + (query << 2), drainHeap(probe.hits, rows + found, scores + found));
      continue;
    }
    openQuery(ivf, probe, values);
    let seen = scanPending(ivf, bitmap, probe.work, isExact || refined > 0, sink);
    if (refined > 0) {
      clearHeap(probe.heap, refined);
      sink.heap = probe.heap;
    }
    const last = ivf.listCount > nprobe ? ivf.listCount - nprobe : 0;
    while (probe.listCount > last || (probe.listCount > 0 && seen < wanted)) {
      seen += scanList(ivf, nextList(probe), bitmap, probe.work, tablesOf(ivf, probe), isExact, sink);
    }
    if (refined > 0) {
      const candidates = drainHeap(probe.heap, probe.rows, probe.scores);
      sink.heap = probe.hits;
      scoreRows(ivf, probe.rows, candidates, probe.work, sink);
    }
    store<u32>(counts + (query << 2), drainHeap(probe.hits, rows + found, scores + found));
  }
}
