import { allocate, release } from './memory';
import { uniformAt } from './random';
import { createRows, freeRows, reserveRows, rowAt, Rows } from './rows';

/**
 * The layers of an HNSW graph. On level 0 a node is a row; its links are numbers of 2 bytes while there are at most
 * 65,536 rows, and of 4 bytes beyond. Each higher level is a table of its own *slots*, which link to slots of the same
 * level, so that going down needs no look-up:
 *
 *     level 0   count | links (2 or 4 bytes each, 2 M of them)
 *     above     row | the slot below (on level 1: the row) | count | links (4 bytes each, M of them)
 *
 * Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
 * Small World graphs", 2016.
 */

export const LEVELS_MAX: u32 = 16;
/** Rows that links of 2 bytes can name. */
const NARROW_ROWS: u32 = 65536;
/** Bytes of a slot before its links. */
// @ts-ignore: decorator
@inline
export const SLOT_HEADER: u32 = 12;
/** Sets the draw of levels apart from other uses of the seed. */
const LEVEL_STREAM: u64 = 0x6c6576656c730000;

// @ts-ignore: decorator
@unmanaged
export class Graph {
  seed: u64;
  /** Links a node above level 0; twice as many on it. */
  M: u32;
  /** Bytes a link on level 0: 2 or 4. */
  width: u32;
  links: Rows;
  /** Rows on level 0 that have their place. */
  rowRoom: u32;
  /** The highest level that has a node; -1 without any. */
  top: i32;
  /** The node of the highest level where searches begin: a slot, or a row if that is level 0. */
  entry: u32;
  /** Addresses of the tables of slots, from level 1 on. */
  tables: u32;
  /** Slots in use, one number a level from level 1 on. */
  sizes: u32;
}

const GRAPH_BYTES: u32 = 48;

/** An empty graph; 0 if there is no room. */
export function createGraph(M: u32, seed: u64): Graph {
  const address = allocate(GRAPH_BYTES + LEVELS_MAX * 8);
  if (address == 0) return changetype<Graph>(0);
  memory.fill(address, 0, GRAPH_BYTES + LEVELS_MAX * 8);
  const graph = changetype<Graph>(address);
  graph.seed = seed;
  graph.M = M;
  graph.width = 2;
  graph.top = -1;
  graph.tables = address + GRAPH_BYTES;
  graph.sizes = graph.tables + LEVELS_MAX * 4;
  graph.links = createRows(linkStride(M, 2));
  if (changetype<u32>(graph.links) == 0) {
    release(address);
    return changetype<Graph>(0);
  }
  return graph;
}

export function freeGraph(graph: Graph): void {
  freeRows(graph.links);
  for (let level: u32 = 1; level <= LEVELS_MAX; level++) {
    const slots = tableOf(graph, level);
    if (changetype<u32>(slots) != 0) freeRows(slots);
  }
  release(changetype<u32>(graph));
}

// @ts-ignore: decorator
@inline
function linkStride(M: u32, width: u32): u32 {
  return (1 + 2 * M) * width;
}

/** The slots of a level from 1 on; 0 if it has none yet. */
// @ts-ignore: decorator
@inline
export function tableOf(graph: Graph, level: u32): Rows {
  return changetype<Rows>(load<u32>(graph.tables + ((level - 1) << 2)));
}

// @ts-ignore: decorator
@inline
export function sizeOf(graph: Graph, level: u32): u32 {
  return load<u32>(graph.sizes + ((level - 1) << 2));
}

/** The row of a node. */
// @ts-ignore: decorator
@inline
export function rowOf(graph: Graph, level: u32, node: u32): u32 {
  return level == 0 ? node : load<u32>(rowAt(tableOf(graph, level), node));
}

/** The same row's node one level below. */
// @ts-ignore: decorator
@inline
export function below(graph: Graph, level: u32, node: u32): u32 {
  return load<u32>(rowAt(tableOf(graph, level), node), 4);
}

/** The level that a row reaches: at least 1 with probability 1 / M, at least 2 with 1 / M^2, and so on. */
export function levelOf(graph: Graph, row: u32): u32 {
  const drawn = uniformAt(graph.seed ^ LEVEL_STREAM, row as u64);
  const factor = 1.0 / (graph.M as f64);
  let level: u32 = 0;
  for (let bound = factor; drawn < bound && level < LEVELS_MAX; bound *= factor) level += 1;
  return level;
}

/** Links of `width` bytes, in a graph that has no rows yet. */
export function setWidth(graph: Graph, width: u32): bool {
  if (graph.width == width) return true;
  return widen(graph);
}

/** Makes room for the rows from `from` up to `to` on every level; false, and nothing is lost, if there is none. */
export function reserveGraph(graph: Graph, from: u32, to: u32): bool {
  if (to > NARROW_ROWS && graph.width == 2 && !widen(graph)) return false;
  if (!reserveRows(graph.links, to)) return false;
  // All of a row, since all of it is saved: what lay there before must not be in a file.
  for (let row = graph.rowRoom; row < to; row++) memory.fill(rowAt(graph.links, row), 0, graph.links.stride);
  if (to > graph.rowRoom) graph.rowRoom = to;
  let highest: u32 = 0;
  for (let row = from; row < to; row++) highest = max(highest, levelOf(graph, row));
  for (let level: u32 = 1; level <= highest; level++) {
    let added: u32 = 0;
    for (let row = from; row < to; row++) added += levelOf(graph, row) >= level ? 1 : 0;
    if (!reserveSlots(graph, level, sizeOf(graph, level) + added)) return false;
  }
  return true;
}

/** Makes room for `count` slots on a level in all. */
export function reserveSlots(graph: Graph, level: u32, count: u32): bool {
  let slots = tableOf(graph, level);
  if (changetype<u32>(slots) == 0) {
    slots = createRows(SLOT_HEADER + (graph.M << 2));
    if (changetype<u32>(slots) == 0) return false;
    store<u32>(graph.tables + ((level - 1) << 2), changetype<u32>(slots));
  }
  return reserveRows(slots, count);
}

/** Takes the next slot of a level, for which there is room. */
export function addSlot(graph: Graph, level: u32, row: u32, down: u32): u32 {
  const slot = sizeOf(graph, level);
  store<u32>(graph.sizes + ((level - 1) << 2), slot + 1);
  const slots = tableOf(graph, level);
  const at = rowAt(slots, slot);
  memory.fill(at, 0, slots.stride);
  store<u32>(at, row);
  store<u32>(at, down, 4);
  return slot;
}

/** Links of 4 bytes from now on. */
function widen(graph: Graph): bool {
  const wide = createRows(linkStride(graph.M, 4));
  if (changetype<u32>(wide) == 0) return false;
  if (!reserveRows(wide, graph.rowRoom)) {
    freeRows(wide);
    return false;
  }
  for (let row: u32 = 0; row < graph.rowRoom; row++) {
    const from = rowAt(graph.links, row);
    const to = rowAt(wide, row);
    const count = load<u16>(from) as u32;
    memory.fill(to, 0, wide.stride);
    store<u32>(to, count);
    for (let link: u32 = 1; link <= count; link++) store<u32>(to + (link << 2), load<u16>(from + (link << 1)) as u32);
  }
  freeRows(graph.links);
  graph.links = wide;
  graph.width = 4;
  return true;
}

/** Writes the links of a node (u32) to `target`, and says how many. */
export function readLinks(graph: Graph, level: u32, node: u32, target: u32): u32 {
  if (level == 0 && graph.width == 2) {
    const at = rowAt(graph.links, node);
    const count = load<u16>(at) as u32;
    for (let link: u32 = 0; link < count; link++) store<u32>(target + (link << 2), load<u16>(at + (link << 1), 2) as u32);
    return count;
  }
  const at = level == 0 ? rowAt(graph.links, node) : rowAt(tableOf(graph, level), node) + SLOT_HEADER - 4;
  const count = load<u32>(at);
  for (let link: u32 = 0; link < count; link++) store<u32>(target + (link << 2), load<u32>(at + (link << 2), 4));
  return count;
}

/**
 * Replaces the links of a node by `count` numbers (u32) from `source`. Places without a link are zero: a saved graph
 * does not tell what was there before.
 */
export function writeLinks(graph: Graph, level: u32, node: u32, source: u32, count: u32): void {
  if (level == 0 && graph.width == 2) {
    const at = rowAt(graph.links, node);
    const before = load<u16>(at) as u32;
    store<u16>(at, count as u16);
    for (let link: u32 = 0; link < count; link++) store<u16>(at + (link << 1), load<u32>(source + (link << 2)) as u16, 2);
    for (let link = count; link < before; link++) store<u16>(at + (link << 1), 0, 2);
    return;
  }
  const at = level == 0 ? rowAt(graph.links, node) : rowAt(tableOf(graph, level), node) + SLOT_HEADER - 4;
  const before = load<u32>(at);
  store<u32>(at, count);
  for (let link: u32 = 0; link < count; link++) store<u32>(at + (link << 2), load<u32>(source + (link << 2)), 4);
  for (let link = count; link < before; link++) store<u32>(at + (link << 2), 0, 4);
}

/** Links that a node of a level may have. */
// @ts-ignore: decorator
@inline
export function linksMax(graph: Graph, level: u32): u32 {
  return level == 0 ? graph.M << 1 : graph.M;
}
