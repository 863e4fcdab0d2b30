import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';
import type { HnswGraph } from '../core/vector/hnsw-graph.ts';
import type { SavedIndex } from '../core/vector/segment-index.ts';

/** Words of a slot before its links: see hnsw-sections.ts. */
const SLOT_WORDS = 3;

/** What an HNSW index saves as its state. */
interface HnswState {
  readonly size: number;
  readonly encoded: number;
  readonly exactFrom: number;
  readonly width: 2 | 4;
  readonly levels: number;
  readonly entry: number;
  readonly slots: readonly number[];
}

/**
 * The graph of a saved HNSW index of any kind, whose exact vectors are in it and whose rows are all built in. `labels`
 * has one entry a row, `deleted` those that are removed; both become part of the graph.
 *
 * Throws `invalid` if vectors wait for `build`, or if there are only codes.
 */
export function graphOfSaved(saved: SavedIndex, { labels, deleted }: Pick<HnswGraph, 'labels' | 'deleted'>): HnswGraph {
  const { dimension, M = 16, efConstruction = 200, type } = saved.spec;
  if (!type.startsWith('HNSW')) {
    throw new ElanusError('invalid', `An index of type ${type} has no graph: only those of HNSW can be written.`);
  }
  const state = saved.state as unknown as HnswState;
  const { size, encoded, levels: levelCount } = state;
  if (encoded < size) {
    throw new ElanusError('invalid', `${size - encoded} vectors are not yet in the graph. Call build first.`);
  }
  if (size > 0 && (state.exactFrom > 0 || saved.spec.exact === 'none')) {
    throw new ElanusError('invalid', 'The index keeps codes only, and the graph is written with its exact vectors.');
  }
  const maxM0 = 2 * M;
  const tables = state.slots.map(
    (rows, at) => new Uint32Array(copyOf(saved, `level.${at + 1}`, rows * 4 * (SLOT_WORDS + M))),
  );
  const levels = levelsOf(tables, size, SLOT_WORDS + M);
  const top = levelCount - 1;
  const links = copyOf(saved, 'links', size * (1 + maxM0) * state.width);
  return {
    dimension,
    M,
    maxM0,
    efConstruction,
    size,
    entry: size === 0 ? -1 : top === 0 ? state.entry : wordAt(tables[top - 1], state.entry * (SLOT_WORDS + M)),
    maxLevel: top,
    levels,
    links0: cleared(state.width === 2 ? new Uint32Array(new Uint16Array(links)) : new Uint32Array(links), 1 + maxM0),
    upper: upperOf(tables, levels, M),
    vectors: new Float32Array(copyOf(saved, 'exact', size * dimension * 4)),
    labels,
    deleted,
  };
}

function copyOf(saved: SavedIndex, name: string, length: number): ArrayBuffer {
  const section = saved.sections.find((one) => one.name === name);
  const bytes = new Uint8Array(length);
  assert((section?.byteLength ?? 0) === length, `the section ${name} is as long as the state says`);
  section?.copyTo(bytes);
  return bytes.buffer;
}

/** A row is on as many levels as it has slots. */
function levelsOf(tables: readonly Uint32Array[], size: number, stride: number): Uint8Array<ArrayBuffer> {
  const levels = new Uint8Array(size);
  for (const table of tables) {
    for (let at = 0; at < table.length; at += stride) {
      const row = table[at] as number;
      levels[row] = (levels[row] as number) + 1;
    }
  }
  return levels;
}

/** Lists with zeros after their count. */
function cleared(lists: Uint32Array<ArrayBuffer>, stride: number): Uint32Array<ArrayBuffer> {
  for (let at = 0; at < lists.length; at += stride) lists.fill(0, at + 1 + (lists[at] as number), at + stride);
  return lists;
}

/** Row by row, what the tables hold level by level; slots become rows again. */
function upperOf(tables: readonly Uint32Array[], levels: Uint8Array, M: number): Uint32Array<ArrayBuffer> {
  const stride = SLOT_WORDS + M;
  const starts = new Uint32Array(levels.length);
  let lists = 0;
  for (let row = 0; row < levels.length; row++) {
    starts[row] = lists;
    lists += levels[row] as number;
  }
  const upper = new Uint32Array(lists * (1 + M));
  for (const [level, table] of tables.entries()) {
    for (let at = 0; at < table.length; at += stride) {
      const to = ((starts[table[at] as number] as number) + level) * (1 + M);
      const count = table[at + 2] as number;
      upper[to] = count;
      for (let nth = 0; nth < count; nth++) {
        upper[to + 1 + nth] = wordAt(table, (table[at + SLOT_WORDS + nth] as number) * stride);
      }
    }
  }
  return upper;
}

function wordAt(table: Uint32Array | undefined, at: number): number {
  const word = table?.[at];
  assert(word !== undefined, 'a slot that is linked to is there');
  return word;
}
