import { codeStride } from './code';
import { LEVELS_MAX, linksMax, reserveSlots, setWidth, sizeOf, SLOT_HEADER, tableOf } from './hnsw-graph';
import { Hnsw, hnswReserveRemoved } from './hnsw-index';
import { createRows, reserveRows, rowAt } from './rows';
import { reserveVisited } from './visited';

/**
 * An index in parts, for saving and loading: tables that are copied as they are, and a few numbers (u32):
 *
 *     0 size   1 encoded   2 exactFrom   3 centred   4 has draft   5 bytes a link   6 top + 1   7 entry
 *     8 removed   9 spare   10 … 25 slots of the levels from 1 on
 */

const SIZES: u32 = 10;

/** The table of exact vectors (0), codes (1), draft codes (2), links (3), or slots of level n (3 + n); 0 if absent. */
export function hnswTable(address: u32, which: u32): u32 {
  const index = changetype<Hnsw>(address);
  if (which == 0) return changetype<u32>(index.space.exact);
  if (which == 1) return changetype<u32>(index.space.codes);
  if (which == 2) return changetype<u32>(index.space.draft);
  if (which == 3) return changetype<u32>(index.graph.links);
  return changetype<u32>(tableOf(index.graph, which - 3));
}

/** Where the centre lies (0), or the bitmap of removed rows (1). */
export function hnswPart(address: u32, which: u32): u32 {
  const index = changetype<Hnsw>(address);
  return which == 0 ? index.space.centre : index.removed;
}

export function hnswReadState(address: u32, target: u32): void {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  const graph = index.graph;
  store<u32>(target, space.size);
  store<u32>(target, space.encoded, 4);
  store<u32>(target, space.exactFrom, 8);
  store<u32>(target, space.centred, 12);
  store<u32>(target, changetype<u32>(space.draft) != 0 ? 1 : 0, 16);
  store<u32>(target, graph.width, 20);
  store<u32>(target, graph.top + 1, 24);
  store<u32>(target, graph.entry, 28);
  store<u32>(target, index.removedCount, 32);
  store<u32>(target, 0, 36);
  for (let level: u32 = 1; level <= LEVELS_MAX; level++) {
    store<u32>(target + ((SIZES + level - 1) << 2), sizeOf(graph, level));
  }
}

/** Makes a new index ready for the tables of a saved one: they are as large as it says, with any content. */
export function hnswRestore(address: u32, state: u32): bool {
  const index = changetype<Hnsw>(address);
  const space = index.space;
  const graph = index.graph;
  space.size = load<u32>(state);
  space.encoded = load<u32>(state, 4);
  space.exactFrom = load<u32>(state, 8);
  space.centred = load<u32>(state, 12);
  if (load<u32>(state, 16) != 0) {
    space.draft = createRows(codeStride(8, space.dimension));
    if (changetype<u32>(space.draft) == 0 || !reserveRows(space.draft, space.encoded)) return false;
  }
  if (!setWidth(graph, load<u32>(state, 20)) || !reserveRows(graph.links, space.encoded)) return false;
  graph.rowRoom = space.encoded;
  graph.top = (load<u32>(state, 24) as i32) - 1;
  graph.entry = load<u32>(state, 28);
  index.removedCount = load<u32>(state, 32);
  for (let level: u32 = 1; level <= LEVELS_MAX; level++) {
    const slots = load<u32>(state + ((SIZES + level - 1) << 2));
    if (slots == 0) continue;
    if (!reserveSlots(graph, level, slots)) return false;
    store<u32>(graph.sizes + ((level - 1) << 2), slots);
  }
  if (index.removedCount > 0 && !hnswReserveRemoved(address)) return false;
  return reserveRows(space.exact, space.size - space.exactFrom)
    && (space.bits == 0 || reserveRows(space.codes, space.encoded))
    && reserveVisited(space.size);
}

/** Whether every link of a graph that was copied in leads to a node that is there. */
export function hnswIsSound(address: u32): bool {
  const index = changetype<Hnsw>(address);
  const graph = index.graph;
  const rows = index.space.encoded;
  if (rows == 0) return graph.top == -1;
  if (graph.top < 0 || (graph.top as u32) > LEVELS_MAX) return false;
  for (let level: u32 = 0; level <= (graph.top as u32); level++) {
    const nodes = level == 0 ? rows : sizeOf(graph, level);
    if (level == (graph.top as u32) && graph.entry >= nodes) return false;
    const beneath = level < 2 ? rows : sizeOf(graph, level - 1);
    const bound = linksMax(graph, level);
    const slots = level == 0 ? graph.links : tableOf(graph, level);
    for (let node: u32 = 0; node < nodes; node++) {
      const at = rowAt(slots, node);
      if (level > 0 && (load<u32>(at) >= rows || load<u32>(at, 4) >= beneath)) return false;
      const count = level > 0 ? load<u32>(at, 8) : graph.width == 2 ? load<u16>(at) as u32 : load<u32>(at);
      if (count > bound) return false;
      const links = level > 0 ? at + SLOT_HEADER : at + graph.width;
      const isNarrow = level == 0 && graph.width == 2;
      if (isNarrow ? !areNarrowBelow(links, bound, nodes) : !areWideBelow(links, bound, nodes)) return false;
    }
  }
  return true;
}

/** Whether all places for links hold numbers below `nodes`; those without a link hold zero. */
function areNarrowBelow(links: u32, bound: u32, nodes: u32): bool {
  const last = (nodes - 1 < 0xffff ? nodes - 1 : 0xffff) as u16;
  const lasts = i16x8.splat(last as i16);
  let link: u32 = 0;
  for (; link + 8 <= bound; link += 8) {
    if (v128.any_true(i16x8.gt_u(v128.load(links + (link << 1)), lasts))) return false;
  }
  for (; link < bound; link++) if (load<u16>(links + (link << 1)) > last) return false;
  return true;
}

function areWideBelow(links: u32, bound: u32, nodes: u32): bool {
  const lasts = i32x4.splat((nodes - 1) as i32);
  let link: u32 = 0;
  for (; link + 4 <= bound; link += 4) {
    if (v128.any_true(i32x4.gt_u(v128.load(links + (link << 2)), lasts))) return false;
  }
  for (; link < bound; link++) if (load<u32>(links + (link << 2)) >= nodes) return false;
  return true;
}
