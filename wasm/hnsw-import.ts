import { ElanusError } from '../core/base/error.ts';
import type { HnswGraph } from '../core/vector/hnsw-graph.ts';
import type { IndexSection, IndexSpec, SavedIndex } from '../core/vector/segment-index.ts';

/** What the module has room for: see hnsw-sections.ts, which describes the tables. */
const M_MAX = 128;
const EF_CONSTRUCTION_MAX = 4096;
const LEVELS_MAX = 16;
/** Rows that links of 2 bytes can name. */
const NARROW_ROWS = 65_536;
/** Words of a slot before its links: the row, the slot below, the count. */
const SLOT_WORDS = 3;
/** How far the length of a vector may lie from 1 to count as normalised: what is, stays as it is, bit for bit. */
const LENGTH_TOLERANCE = 1e-5;

/**
 * A graph that was built elsewhere as a saved index of an HNSW type, without codes: loading that is all there is to
 * importing. Tables that lie in the graph as they are saved are views of it. M and efConstruction are the graph's.
 *
 * Vectors for COSINE are normalised where they are not. Levels above 16 fall away: what they link is linked below.
 *
 * Throws `invalid` for a component that is not finite, `unsupported` for more than 128 links a node or another number
 * of links on level 0 than twice that.
 */
export function savedOfGraph(graph: HnswGraph, spec: IndexSpec): SavedIndex {
  const { M, maxM0, size } = graph;
  if (M > M_MAX || maxM0 !== 2 * M) {
    throw new ElanusError(
      'unsupported',
      `The graph has up to ${M} links a node, and ${maxM0} on level 0; up to ${M_MAX}, and twice as many, are read.`,
      { details: { M, maxM0 } },
    );
  }
  checkFinite(graph);
  if (spec.metric === 'COSINE') normalise(graph);
  const width = size <= NARROW_ROWS ? 2 : 4;
  const levels = graph.levels.map((level) => Math.min(level, LEVELS_MAX));
  const top = Math.min(graph.maxLevel, LEVELS_MAX);
  const slots = slotsOf(levels, top);
  const sections = [
    sectionOf('exact', graph.vectors),
    sectionOf('links', width === 2 ? new Uint16Array(graph.links0) : graph.links0),
    ...slotTables(graph, levels, slots).map((table, at) => sectionOf(`level.${at + 1}`, table)),
  ];
  if (graph.deleted.length > 0) sections.push(sectionOf('removed', bitmapOf(graph)));
  return {
    spec: {
      ...spec,
      M,
      efConstruction: Math.max(M, Math.min(graph.efConstruction, EF_CONSTRUCTION_MAX)),
    },
    state: {
      size,
      encoded: size,
      exactFrom: 0,
      centred: 0,
      draft: 0,
      width,
      levels: top + 1,
      entry: size === 0 ? 0 : top === 0 ? graph.entry : (slots[top - 1]?.[graph.entry] ?? 0),
      removed: graph.deleted.length,
      slots: slots.map((_, at) => countFrom(levels, at + 1)),
    },
    sections: sections.filter(({ byteLength }) => byteLength > 0),
  };
}

/** Bit `row & 7` of byte `row >> 3` for each row that is deleted. */
export function bitmapOf({ size, deleted }: HnswGraph): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(size / 8));
  for (const row of deleted) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
  return bits;
}

/** A part that lies in one piece. */
function sectionOf(name: string, values: ArrayBufferView<ArrayBuffer>): IndexSection {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, byteLength: bytes.byteLength, bytes, copyTo: (target) => target.set(bytes) };
}

function checkFinite({ vectors, dimension }: HnswGraph): void {
  // 0 times a finite number is 0, times any other it is no number, which sums keep.
  let sum = 0;
  for (let at = 0; at < vectors.length; at++) sum += 0 * (vectors[at] as number);
  if (sum === 0) return;
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  const row = Math.floor(at / dimension);
  throw new ElanusError(
    'invalid',
    `Value ${at % dimension} of vector ${row} is ${vectors[at]}; every value is finite. Build the index without that vector.`,
    { details: { row } },
  );
}

function normalise({ vectors, dimension }: HnswGraph): void {
  for (let from = 0; from < vectors.length; from += dimension) {
    let square = 0;
    for (let at = from; at < from + dimension; at++) square += (vectors[at] as number) ** 2;
    const length = Math.sqrt(square);
    if (length === 0 || Math.abs(length - 1) < LENGTH_TOLERANCE) continue;
    for (let at = from; at < from + dimension; at++) vectors[at] = (vectors[at] as number) / length;
  }
}

/** For each level from 1 on, the slot of each row that reaches it: rows keep their order. */
function slotsOf(levels: Uint8Array, top: number): Uint32Array<ArrayBuffer>[] {
  return Array.from({ length: Math.max(0, top) }, (_, at) => {
    const slots = new Uint32Array(levels.length);
    let next = 0;
    for (let row = 0; row < levels.length; row++) if ((levels[row] as number) > at) slots[row] = next++;
    return slots;
  });
}

function countFrom(levels: Uint8Array, level: number): number {
  let count = 0;
  for (const own of levels) if (own >= level) count += 1;
  return count;
}

/** The slots of each level from 1 on. */
function slotTables(
  graph: HnswGraph,
  levels: Uint8Array,
  slots: readonly Uint32Array[],
): readonly Uint32Array<ArrayBuffer>[] {
  const { M, upper, size } = graph;
  const stride = SLOT_WORDS + M;
  const tables = slots.map((_, at) => new Uint32Array(countFrom(levels, at + 1) * stride));
  let list = 0;
  for (let row = 0; row < size; row++) {
    const level = levels[row] as number;
    for (let at = 0; at < level; at++) {
      const ofLevel = slots[at] as Uint32Array;
      const table = tables[at] as Uint32Array;
      const start = (list + at) * (1 + M);
      const count = upper[start] as number;
      const to = (ofLevel[row] as number) * stride;
      table[to] = row;
      table[to + 1] = at === 0 ? row : ((slots[at - 1] as Uint32Array)[row] as number);
      table[to + 2] = count;
      for (let nth = 0; nth < count; nth++) {
        table[to + SLOT_WORDS + nth] = ofLevel[upper[start + 1 + nth] as number] as number;
      }
    }
    list += graph.levels[row] as number;
  }
  return tables;
}
