import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { decodeIndexFile } from '../../core/vector/index-file.ts';
import type { IndexType } from '../../core/vector/segment-index.ts';
import { VectorIndex, VectorMemory } from '../../wasm/index.ts';
import { clusteredRows } from './ivf-rows.ts';
import { nodeModule, WASM_BUILDS } from './kernel.ts';

const TYPES: readonly IndexType[] = ['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'];
const ROWS = 6000;
const DIMENSION = 32;
const QUERIES = 20;
const LIMIT = 10;

const BASE = clusteredRows(ROWS, DIMENSION, 3).values;
const ASKED = clusteredRows(QUERIES, DIMENSION, 3).values;
const queryAt = (query: number): Float32Array => ASKED.subarray(query * DIMENSION, (query + 1) * DIMENSION);

async function filled(type: IndexType, rows: Float32Array = BASE, more: object = {}): Promise<VectorIndex> {
  const index = await VectorIndex.create({ type, metric: 'L2', dimension: DIMENSION, ...more });
  index.add(rows);
  await index.build();
  return index;
}

/** The share of what `exact` finds for each query that `index` finds too. */
function recallOf(index: VectorIndex, exact: VectorIndex, filterOf?: (query: number) => Uint8Array, ef = 128): number {
  let hits = 0;
  let all = 0;
  for (let query = 0; query < QUERIES; query++) {
    const filter = filterOf === undefined ? {} : { filter: filterOf(query) };
    const truth = new Set(exact.search(queryAt(query), { limit: LIMIT, ...filter }).ids);
    const { ids } = index.search(queryAt(query), { limit: LIMIT, ef, ...filter });
    expect(ids.length).toBe(truth.size);
    all += truth.size;
    for (const id of ids) hits += truth.has(id) ? 1 : 0;
  }
  return hits / all;
}

function bitmapOf(rows: Iterable<number>): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(ROWS / 8));
  for (const row of rows) bitmap[row >> 3]! |= 1 << (row & 7);
  return bitmap;
}

describe.each(TYPES)('filters of %s', (type) => {
  it('return every hit that there is: rows by chance, the ones nearest to the query, the ones farthest from it', async () => {
    using exact = await filled('FLAT');
    using index = await filled(type);
    const nearestFirst = Array.from({ length: QUERIES }, (_, query) => [
      ...exact.search(queryAt(query), { limit: ROWS }).ids,
    ]);
    const random = seededRandom(5);
    const byChance = Array.from({ length: ROWS }, (_, row) => ({ row, rank: random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ row }) => row);
    for (const share of [0.5, 0.1, 0.01, 0.001]) {
      const count = ROWS * share;
      const recalls = {
        chance: recallOf(index, exact, () => bitmapOf(byChance.slice(0, count))),
        near: recallOf(index, exact, (query) => bitmapOf(nearestFirst[query]!.slice(0, count))),
        far: recallOf(index, exact, (query) => bitmapOf(nearestFirst[query]!.slice(ROWS - count))),
      };
      for (const [kind, recall] of Object.entries(recalls)) {
        expect(recall, `${kind}, ${share * 100} %`).toBeGreaterThan(type === 'HNSW_RABITQ' ? 0.9 : 0.97);
      }
    }
  });
});

describe.each(TYPES)('churn of %s', (type) => {
  it('loses no recall when half of the rows are removed and as many come in their place', async () => {
    const fresh = clusteredRows(ROWS / 2, DIMENSION, 4).values;
    using index = await filled(type);
    using exact = await filled('FLAT');
    const gone = Array.from({ length: ROWS / 2 }, (_, at) => 2 * at);
    for (const each of [index, exact]) {
      each.remove(gone);
      each.add(fresh);
      await each.build();
      expect(each.size).toBe(ROWS);
    }
    const kept = new Float32Array(ROWS * DIMENSION);
    for (let at = 0; at < ROWS / 2; at++) {
      kept.set(BASE.subarray((2 * at + 1) * DIMENSION, (2 * at + 2) * DIMENSION), at * DIMENSION);
    }
    kept.set(fresh, (ROWS / 2) * DIMENSION);
    using anew = await filled(type, kept);
    using anewExact = await filled('FLAT', kept);
    // One bit tells less of rows far from the centre, which was taken from the rows that came first.
    const lost = type === 'HNSW_RABITQ' ? 0.05 : 0.02;
    const ef = 64;
    expect(recallOf(index, exact, undefined, ef)).toBeGreaterThan(recallOf(anew, anewExact, undefined, ef) - lost);
  });

  it('finds what is left when all that is near was removed', async () => {
    using index = await filled(type);
    using exact = await filled('FLAT');
    const near = exact.search(queryAt(0), { limit: ROWS - 25 }).ids;
    index.remove(near);
    const { ids } = index.search(queryAt(0), { limit: LIMIT });
    exact.remove(near);
    expect([...ids].sort()).toEqual([...exact.search(queryAt(0), { limit: LIMIT }).ids].sort());
  });
});

describe('links', () => {
  it('of 2 bytes become links of 4 when a graph grows beyond 65,536 rows', async () => {
    const dimension = 4;
    const rows = clusteredRows(66_000, dimension, 9).values;
    const options = { type: 'HNSW_SQ8', metric: 'L2', dimension, M: 4, efConstruction: 12 } as const;
    using index = await VectorIndex.create(options);
    using exact = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension });
    exact.add(rows);
    index.add(rows.subarray(0, 65_000 * dimension));
    await index.build();
    expect(decodeIndexFile(index.save()).state['width']).toBe(2);
    index.add(rows.subarray(65_000 * dimension));
    await index.build();
    using loaded = await VectorIndex.load(index.save());
    expect(decodeIndexFile(loaded.save()).state['width']).toBe(4);
    let hits = 0;
    for (let row = 64_990; row < 65_990; row += 100) {
      const query = rows.subarray(row * dimension, (row + 1) * dimension);
      const truth = new Set(exact.search(query, { limit: LIMIT }).ids);
      for (const id of loaded.search(query, { limit: LIMIT, ef: 200 }).ids) hits += truth.has(id) ? 1 : 0;
    }
    expect(hits).toBeGreaterThan(95);
  });
});

describe('a graph', () => {
  it('is the same from both builds, but for float32 rows that come after the first ones', async () => {
    const saved: Uint8Array[] = [];
    for (const build of WASM_BUILDS) {
      const memory = await VectorMemory.create({ module: await nodeModule(build) });
      using index = await filled('HNSW', BASE, { memory });
      saved.push(index.save());
    }
    for (const blob of saved) {
      const links = decodeIndexFile(blob).sections.find(({ name }) => name === 'links');
      expect(links?.bytes).toEqual(decodeIndexFile(saved[0]!).sections.find(({ name }) => name === 'links')?.bytes);
    }
  });
});

describe('marks of visited rows', () => {
  it('stay as they were when there is no room for more: the index goes on', async () => {
    const memory = await VectorMemory.create({ module: await nodeModule(), maxBytes: 2 ** 22 });
    using index = await VectorIndex.create({ type: 'HNSW_SQ8', metric: 'L2', dimension: DIMENSION, M: 4, memory });
    // One by one at the end, so that the vectors have room to spare and the marks of 5,120 rows have hardly any.
    index.add(BASE.subarray(0, 5100 * DIMENSION));
    index.add(BASE.subarray(5100 * DIMENSION, 5110 * DIMENSION));
    await index.build();
    const expected = index.search(queryAt(0), { limit: LIMIT });
    const spare = memory.kernel.tryAllocate(2048)!;
    for (let bytes = 2 ** 20; bytes >= 16; bytes /= 2) while (memory.kernel.tryAllocate(bytes) !== undefined);
    expect(() => index.add(BASE.subarray(5110 * DIMENSION, 5130 * DIMENSION))).toThrow(
      expect.objectContaining({ code: 'quota' }),
    );
    expect(index.size).toBe(5110);
    // What a search needs for itself.
    memory.kernel.release(spare);
    const constants = memory.kernel.bytes.slice(0, 1024);
    expect(index.search(queryAt(0), { limit: LIMIT })).toEqual(expected);
    // Marks that are nowhere would lie at address 0.
    expect(memory.kernel.bytes.slice(0, 1024)).toEqual(constants);
  });
});
