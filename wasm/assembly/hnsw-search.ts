import { beamEntry, beamSize, clearBeam, gather, insert, merge, nodeOf } from './beam';
import { below, Graph, rowOf, SLOT_HEADER, tableOf } from './hnsw-graph';
import { rowAt, rowIn, Rows } from './rows';
import { score4, scoreExact8, Space } from './space';
import { nextEpoch, visitedMarks } from './visited';

/** The two walks of HNSW: greedy on the upper levels, with a beam on the level that counts. */

/** Neighbours of one node that were not met before: at most 256, and padding. */
const FRESH: u32 = memory.data((256 + 8) * 4, 16) as u32;
/** Their scores. */
const SCORES: u32 = memory.data((256 + 8) * 4, 16) as u32;

/** The score of the node that `descend` went down to. */
export let descended: f32 = 0;

/**
 * From `node` on a level above 0 to the nearest node that can be reached by links that only come nearer. `descended` is
 * the score of the one before and after.
 */
function walk<K>(graph: Graph, space: Space, rows: Rows, level: u32, node: u32, query: u32): u32 {
  const slots = tableOf(graph, level);
  const metric = space.metric;
  const dimension = space.dimension;
  let best = descended;
  let current = node;
  while (true) {
    const at = rowAt(slots, current);
    const count = load<u32>(at, 8);
    const links = at + SLOT_HEADER;
    let nearest = current;
    for (let link: u32 = 0; link < count; link += 4) {
      const last = count - 1;
      const one = load<u32>(links + (link << 2));
      const two = load<u32>(links + (min(link + 1, last) << 2));
      const three = load<u32>(links + (min(link + 2, last) << 2));
      const four = load<u32>(links + (min(link + 3, last) << 2));
      const scores = score4<K>(
        metric, dimension, query,
        rowAt(rows, load<u32>(rowAt(slots, one))), rowAt(rows, load<u32>(rowAt(slots, two))),
        rowAt(rows, load<u32>(rowAt(slots, three))), rowAt(rows, load<u32>(rowAt(slots, four))),
      );
      if (f32x4.extract_lane(scores, 0) < best) { best = f32x4.extract_lane(scores, 0); nearest = one; }
      if (f32x4.extract_lane(scores, 1) < best) { best = f32x4.extract_lane(scores, 1); nearest = two; }
      if (f32x4.extract_lane(scores, 2) < best) { best = f32x4.extract_lane(scores, 2); nearest = three; }
      if (f32x4.extract_lane(scores, 3) < best) { best = f32x4.extract_lane(scores, 3); nearest = four; }
    }
    if (nearest == current) {
      descended = best;
      return current;
    }
    current = nearest;
  }
}

/** Walks from the top down to `level` + 1, and gives the node on `level` to go on from, whose score is `descended`. */
export function descend<K>(graph: Graph, space: Space, rows: Rows, level: u32, query: u32): u32 {
  let node = graph.entry;
  const start = rowAt(rows, rowOf(graph, graph.top as u32, node));
  descended = f32x4.extract_lane(score4<K>(space.metric, space.dimension, query, start, start, start, start), 0);
  for (let above = graph.top as u32; above > level; above--) {
    node = below(graph, above, walk<K>(graph, space, rows, above, node, query));
  }
  return node;
}

/** Fills an empty beam with the nearest nodes of a level that it reaches from `node`, which has this score. */
export function search<K>(
  graph: Graph, space: Space, rows: Rows, level: u32, node: u32, score: f32, query: u32, beam: u32, capacity: u32,
): void {
  clearBeam(beam, capacity);
  insert(beam, score, node);
  const epoch = nextEpoch();
  store<u8>(visitedMarks() + rowOf(graph, level, node), epoch as u8);
  if (level == 0) searchRows<K>(graph, space, rows, query, beam, epoch);
  else searchSlots<K>(graph, space, rows, level, query, beam, epoch);
}

/** Level 0, where nodes are rows. */
function searchRows<K>(graph: Graph, space: Space, rows: Rows, query: u32, beam: u32, epoch: u32): void {
  const metric = space.metric;
  const dimension = space.dimension;
  const chunks = rows.chunks;
  const shift = rows.shift;
  const stride = rows.stride;
  const linkChunks = graph.links.chunks;
  const linkShift = graph.links.shift;
  const linkStride = graph.links.stride;
  const isNarrow = graph.width == 2;
  const marks = visitedMarks();
  let next: u32 = 0;
  while (next < beamSize(beam)) {
    const entry = beamEntry(beam, next);
    if (entry & 1) {
      next += 1;
      continue;
    }
    store<u64>(beam + (next << 3), entry | 1, 16);
    const links = rowIn(linkChunks, linkShift, linkStride, nodeOf(entry));
    const count = isNarrow ? freshOf<u16>(links, marks, epoch) : freshOf<u32>(links, marks, epoch);
    // All scores before any decision: a branch that is foreseen wrong would throw away loads that are under way.
    let scored: u32 = 0;
    if (isFloat<K>()) {
      for (; scored + 4 < count; scored += 8) {
        scoreExact8(metric, dimension, query, FRESH + (scored << 2), chunks, shift, stride, SCORES + (scored << 2));
      }
    }
    for (let at = scored; at < count; at += 4) {
      const list = FRESH + (at << 2);
      v128.store(SCORES + (at << 2), score4<K>(
        metric, dimension, query,
        rowIn(chunks, shift, stride, load<u32>(list)), rowIn(chunks, shift, stride, load<u32>(list, 4)),
        rowIn(chunks, shift, stride, load<u32>(list, 8)), rowIn(chunks, shift, stride, load<u32>(list, 12)),
      ));
    }
    let entering: u32 = 0;
    for (let at: u32 = 0; at < count; at += 4) {
      entering = gather(beam, v128.load(SCORES + (at << 2)), FRESH + (at << 2), count - at, entering);
    }
    next += 1;
    if (entering > 0) next = min(next, merge(beam, entering));
  }
}

/** A level above 0, where nodes are slots. */
function searchSlots<K>(
  graph: Graph, space: Space, rows: Rows, level: u32, query: u32, beam: u32, epoch: u32,
): void {
  const metric = space.metric;
  const dimension = space.dimension;
  const slots = tableOf(graph, level);
  const marks = visitedMarks();
  let next: u32 = 0;
  while (next < beamSize(beam)) {
    const entry = beamEntry(beam, next);
    if (entry & 1) {
      next += 1;
      continue;
    }
    store<u64>(beam + (next << 3), entry | 1, 16);
    const at = rowAt(slots, nodeOf(entry));
    const end = at + SLOT_HEADER + (load<u32>(at, 8) << 2);
    let count: u32 = 0;
    for (let link = at + SLOT_HEADER; link < end; link += 4) {
      const slot = load<u32>(link);
      const mark = marks + load<u32>(rowAt(slots, slot));
      store<u32>(FRESH + (count << 2), slot);
      count += (load<u8>(mark) as u32) != epoch ? 1 : 0;
      store<u8>(mark, epoch as u8);
    }
    pad(count);
    let entering: u32 = 0;
    for (let nth: u32 = 0; nth < count; nth += 4) {
      const list = FRESH + (nth << 2);
      const scores = score4<K>(
        metric, dimension, query,
        rowAt(rows, load<u32>(rowAt(slots, load<u32>(list)))), rowAt(rows, load<u32>(rowAt(slots, load<u32>(list, 4)))),
        rowAt(rows, load<u32>(rowAt(slots, load<u32>(list, 8)))),
        rowAt(rows, load<u32>(rowAt(slots, load<u32>(list, 12)))),
      );
      entering = gather(beam, scores, list, count - nth, entering);
    }
    next += 1;
    if (entering > 0) next = min(next, merge(beam, entering));
  }
}

/**
 * Lists the links of type `Link` that were not met before, and marks them. Branch-free: which are new is not to be
 * foreseen.
 */
// @ts-ignore: decorator
@inline
function freshOf<Link>(links: u32, marks: u32, epoch: u32): u32 {
  const end = links + (load<Link>(links) as u32) * sizeof<Link>();
  let list = FRESH;
  for (; links < end; links += sizeof<Link>()) {
    const row = load<Link>(links, sizeof<Link>()) as u32;
    const mark = marks + row;
    store<u32>(list, row);
    list += (load<u8>(mark) as u32) != epoch ? 4 : 0;
    store<u8>(mark, epoch as u8);
  }
  const count = (list - FRESH) >> 2;
  pad(count);
  return count;
}

/** Repeats the last of the list, so that it is read in fours, or in eights where more than four are left. */
// @ts-ignore: decorator
@inline
function pad(count: u32): void {
  const end = FRESH + (count << 2);
  if (count > 0) {
    const last = load<u32>(end - 4);
    v128.store(end, i32x4.splat(last));
  }
}
