import fc from 'fast-check';
import { expect } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import type { HnswGraph } from '../../../core/vector/hnsw-graph.ts';

/** How large the labels of a made-up graph get. */
export type LabelKind = '32 bits' | '53 bits' | '64 bits';

export interface GraphCase {
  seed: number;
  dimension: number;
  M: number;
  size: number;
  labels: LabelKind;
}

/** Graphs of up to 24 rows; `labels` narrows their labels. */
export function graphs(labels: readonly LabelKind[] = ['32 bits', '53 bits', '64 bits']): fc.Arbitrary<GraphCase> {
  return fc.record({
    seed: fc.integer(),
    dimension: fc.integer({ min: 1, max: 9 }),
    M: fc.integer({ min: 2, max: 6 }),
    size: fc.integer({ min: 0, max: 24 }),
    labels: fc.constantFrom(...labels),
  });
}

/** A graph that keeps its promises and means nothing: levels, links, labels and marks are drawn. */
export function makeGraph({ seed, dimension, M, size, labels }: GraphCase): HnswGraph {
  const random = seededRandom(seed);
  const below = (end: number): number => random() % end;
  const levels = Uint8Array.from({ length: size }, () => Math.max(0, below(6) - 2));
  const maxLevel = levels.reduce((highest, level) => Math.max(highest, level), -1);
  const rowsOf = (level: number): number[] => [...levels.keys()].filter((row) => (levels[row] ?? 0) >= level);
  const list = (level: number, slots: number): number[] => {
    const rows = rowsOf(level);
    const count = below(slots + 1);
    return Array.from({ length: 1 + slots }, (_, slot) =>
      slot === 0 ? count : slot <= count ? rows[below(rows.length)]! : 0,
    );
  };
  const entries = rowsOf(maxLevel);
  return {
    dimension,
    M,
    maxM0: 2 * M,
    efConstruction: M + below(500),
    size,
    entry: size === 0 ? -1 : entries[below(entries.length)]!,
    maxLevel,
    levels,
    links0: Uint32Array.from([...levels].flatMap(() => list(0, 2 * M))),
    upper: Uint32Array.from([...levels].flatMap((top) => numbers(1, top).flatMap((level) => list(level, M)))),
    vectors: Float32Array.from({ length: size * dimension }, () => (random() - 2 ** 31) / 2 ** 20),
    labels: makeLabels(labels, size, random),
    deleted: Uint32Array.from([...levels.keys()].filter(() => below(4) === 0)),
  };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** Distinct, in no order: the row is in the lowest bits, mixed. */
function makeLabels(kind: LabelKind, size: number, random: () => number): HnswGraph['labels'] {
  const low = Array.from({ length: size }, (_, row) => ((random() & ~31) | row) >>> 0);
  if (kind === '32 bits') return Float64Array.from(low);
  if (kind === '53 bits') return Float64Array.from(low, (word) => (random() % 2 ** 21) * 2 ** 32 + word);
  // One of them must not fit a number, or a reader gives numbers.
  return BigUint64Array.from(low, (word, row) => (BigInt(row === size - 1 ? 2 ** 31 : random()) << 32n) | BigInt(word));
}

/** What `HnswGraph` promises. */
export function expectPromises(graph: HnswGraph): void {
  const { size, dimension, M, maxM0, levels, links0, upper } = graph;
  const sum = levels.reduce((total, level) => total + level, 0);
  expect(levels.length).toBe(size);
  expect(graph.labels.length).toBe(size);
  expect(graph.vectors.length).toBe(size * dimension);
  expect(links0.length).toBe(size * (1 + maxM0));
  expect(upper.length).toBe(sum * (1 + M));
  expect(graph.maxLevel).toBe(levels.reduce((highest, level) => Math.max(highest, level), -1));
  expect(size === 0 ? graph.entry : levels[graph.entry]).toBe(graph.maxLevel);
  const last = new Map([...(graph.labels as Iterable<number | bigint>)].map((label, row) => [label, row]));
  const gone = new Set(graph.deleted);
  expect([...levels.keys()].filter((row) => !gone.has(row) && last.get(graph.labels[row]!) !== row)).toEqual([]);
  expect([...graph.deleted]).toEqual([...new Set(graph.deleted)].sort((a, b) => a - b));
  expect(graph.deleted.every((row) => row < size)).toBe(true);
  const faults: string[] = [];
  const check = (lists: Uint32Array, start: number, slots: number, level: number) => {
    const count = lists[start]!;
    if (count > slots) faults.push(`${count} links`);
    for (let slot = 1; slot <= slots; slot++) {
      const link = lists[start + slot]!;
      if (slot > count ? link !== 0 : link >= size || levels[link]! < level) faults.push(`slot ${slot}: ${link}`);
    }
  };
  let at = 0;
  for (let row = 0; row < size; row++) {
    check(links0, row * (1 + maxM0), maxM0, 0);
    for (let level = 1; level <= levels[row]!; level++, at += 1 + M) check(upper, at, M, level);
  }
  expect(faults).toEqual([]);
}

/** A graph with its floats as bits, so that equal means equal bit for bit. */
export function inBits(graph: HnswGraph): unknown {
  return { ...graph, vectors: new Uint32Array(graph.vectors.buffer) };
}
