import { Ivf, VECTORS } from './ivf';
import { nextList, openProbe, openQuery, Probe, tablesOf } from './ivf-search';
import { scanList, scanPending } from './ivf-scan';
import { pop, scoreOfEntry } from './nearest-first';

/**
 * A query that goes on: the rows of list after list are gathered in a pool, from which the nearest are taken. The room
 * is a probe's without hits and candidates; the pool is the host's, and has room for what comes.
 */

/** Begins with a query of `dimension` values. */
export function ivfCursorOpen(ivf: Ivf, room: u32, query: u32): void {
  openQuery(ivf, openProbe(ivf, room, 0, 0), query);
}

/** Rows that the next list holds; -1 if there is none. */
export function ivfCursorNextCount(ivf: Ivf, room: u32): i32 {
  const probe = changetype<Probe>(room);
  if (probe.listCount == 0) return -1;
  return load<i32>(ivf.lists + ((load<u64>(probe.lists) as u32) << 3), 4);
}

/** Adds the next list, or with `isPending` the pending rows, to a pool of `size` entries; gives its new size. */
export function ivfCursorGather(
  ivf: Ivf, room: u32, isPending: bool, isExact: bool, bitmap: u32, pool: u32, size: u32,
): u32 {
  const probe = changetype<Probe>(room);
  const sink = probe.sink;
  sink.heap = 0;
  sink.pool = pool;
  sink.size = size;
  const isScored = isExact || ivf.kind == VECTORS;
  if (isPending) scanPending(ivf, bitmap, probe.work, isScored, sink);
  else scanList(ivf, nextList(probe), bitmap, probe.work, tablesOf(ivf, probe), isScored, sink);
  return sink.size;
}

/** Takes the nearest `count` of `size` entries out of a pool: row numbers and scores. */
export function ivfCursorTake(pool: u32, size: u32, count: u32, rows: u32, scores: u32): void {
  for (let at: u32 = 0; at < count << 2; at += 4) {
    const entry = pop(pool, size);
    size -= 1;
    store<u32>(rows + at, entry as u32);
    store<f32>(scores + at, scoreOfEntry(entry));
  }
}
