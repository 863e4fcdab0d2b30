import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../core/base/bytes.ts';
import { seededRandom } from '../../core/base/random.ts';
import { decodeIndexFile } from '../../core/vector/index-file.ts';
import { INDEX_TYPES, type IndexType } from '../../core/vector/segment-index.ts';
import { type SearchManyResult, VectorIndex, VectorMemory } from '../../wasm/index.ts';
import { nodeModule, WASM_BUILDS } from './kernel.ts';

const ROWS = 1200;
const DIMENSION = 40;
const QUERIES = 20;
const LIMIT = 10;
const CODED: readonly IndexType[] = INDEX_TYPES.filter((type) => !['FLAT', 'HNSW', 'IVF_FLAT'].includes(type));

const random = seededRandom(11);
const real = (): number => random() / 2 ** 31 - 1;
const CENTRES = Array.from({ length: 30 }, () => Array.from({ length: DIMENSION }, real));

/** Clustered, as what is searched is. */
function vectorsOf(count: number): Float32Array {
  return Float32Array.from({ length: count * DIMENSION }, (_, at) => {
    const centre = CENTRES[Math.floor(at / DIMENSION) % CENTRES.length]!;
    return centre[at % DIMENSION]! + 0.7 * real();
  });
}

const VECTORS = vectorsOf(ROWS);
const ASKED = vectorsOf(QUERIES);
const FIRST = ASKED.subarray(0, DIMENSION);

async function filled(type: IndexType, more: object = {}): Promise<VectorIndex> {
  const index = await VectorIndex.create({ type, metric: 'L2', dimension: DIMENSION, ...more });
  index.add(VECTORS);
  return index;
}

async function built(type: IndexType, more: object = {}): Promise<VectorIndex> {
  const index = await filled(type, more);
  await index.build();
  return index;
}

function recall(found: SearchManyResult, truth: SearchManyResult): number {
  let hits = 0;
  for (const [query, count] of truth.counts.entries()) {
    const from = query * truth.limit;
    const right = new Set(truth.ids.subarray(from, from + count));
    for (const id of found.ids.subarray(from, from + found.counts[query]!)) hits += right.has(id) ? 1 : 0;
  }
  return hits / truth.counts.reduce((sum, count) => sum + count, 0);
}

/** Says which parts differ, and not which bytes. */
function expectSame(one: Uint8Array, other: Uint8Array): void {
  const [a, b] = [decodeIndexFile(one), decodeIndexFile(other)];
  expect(a.state).toEqual(b.state);
  const isSame = (at: number): boolean => equalBytes(a.sections[at]!.bytes, b.sections[at]!.bytes);
  expect(a.sections.filter((_, at) => !isSame(at)).map(({ name }) => name)).toEqual([]);
  expect(equalBytes(one, other)).toBe(true);
}

const exactOf = (ids: Float64Array): Float32Array => {
  const vectors = new Float32Array(ids.length * DIMENSION);
  for (const [at, id] of ids.entries()) {
    vectors.set(VECTORS.subarray(id * DIMENSION, (id + 1) * DIMENSION), at * DIMENSION);
  }
  return vectors;
};

describe.each(INDEX_TYPES)('a VectorIndex of type %s', (type) => {
  it('finds what is near: before it is built, built, filtered, and without what is removed', async () => {
    using exact = await filled('FLAT');
    using index = await filled(type);
    const truth = exact.searchMany(ASKED, { limit: LIMIT });
    expect(index.searchMany(ASKED, { limit: LIMIT }).ids).toEqual(truth.ids);
    await index.build();
    expect(index.pending).toBe(0);
    expect(recall(index.searchMany(ASKED, { limit: LIMIT }), truth)).toBeGreaterThan(0.95);
    const filter = (id: number): boolean => id % 7 === 3;
    const filtered = exact.searchMany(ASKED, { limit: LIMIT, filter });
    const found = index.searchMany(ASKED, { limit: LIMIT, filter });
    expect([...found.counts]).toEqual([...filtered.counts]);
    expect(found.ids.every(filter)).toBe(true);
    expect(recall(found, filtered)).toBeGreaterThan(0.95);
    const gone = Float64Array.from(new Set(truth.ids));
    expect([index.remove(gone), exact.remove(gone)]).toEqual([gone.length, gone.length]);
    expect(index.size).toBe(ROWS - gone.length);
    const after = index.searchMany(ASKED, { limit: LIMIT });
    expect(after.ids.filter((id) => gone.includes(id))).toEqual(new Float64Array(0));
    expect(recall(after, exact.searchMany(ASKED, { limit: LIMIT }))).toBeGreaterThan(0.95);
  });

  it('pages and ranges as one search would', async () => {
    using index = await built(type);
    using exact = await built('FLAT');
    const truth = exact.search(FIRST, { limit: 60 });
    using cursor = index.cursor(FIRST);
    const seen = Array.from({ length: 6 }, () => [...cursor.next(10).ids]).flat();
    expect(new Set(seen).size).toBe(60);
    expect(seen.filter((id) => truth.ids.includes(id)).length).toBeGreaterThan(50);
    const all = Array.from({ length: 40 }, () => [...cursor.next(64).ids]).flat();
    expect(new Set([...seen, ...all]).size).toBe(ROWS);
    expect(all).toHaveLength(ROWS - 60);
    const radius = truth.distances[29]! * 1.0001;
    const within = index.searchRange(FIRST, { radius });
    const inside = exact.searchRange(FIRST, { radius });
    expect(within.ids.filter((id) => inside.ids.includes(id)).length).toBeGreaterThan(0.9 * inside.ids.length);
    expect(
      [...within.distances].every(
        (distance, at) => (distance <= radius && distance >= within.distances[at - 1]!) || at === 0,
      ),
    ).toBe(true);
  });

  it('gives everything back, in whatever order cursor and index are freed', async () => {
    const memory = await VectorMemory.create({ maxBytes: 2 ** 26 });
    const query = ASKED.subarray(0, DIMENSION);
    for (const order of ['cursor first', 'index first', 'changed between'] as const) {
      const index = await filled(type, { memory });
      await index.build();
      const cursor = index.cursor(query);
      cursor.next(3);
      const other = index.cursor(query, { filter: (id) => id > 5 });
      other.next(70);
      if (order === 'changed between') {
        index.add(VECTORS.subarray(0, DIMENSION));
        expect(() => cursor.next(1)).toThrow(expect.objectContaining({ code: 'closed' }) as never);
      }
      if (order === 'index first') index.free();
      cursor.free();
      cursor.free();
      other.free();
      index.free();
      // Marks that all searches share may stay: a byte a row.
      expect(memory.bytes, order).toBeLessThan(8192);
    }
  });

  it('is the same bytes whoever builds it: in slices, from a blob midway, in either build, on used memory', async () => {
    using once = await filled(type);
    await once.build({ sliceMs: Number.POSITIVE_INFINITY });
    const expected = once.save();
    const halves: Uint8Array[] = [];
    using sliced = await filled(type);
    await sliced.build({
      sliceMs: 1,
      onProgress: ({ done, total }) => {
        if (done < total) halves.push(sliced.save());
      },
    });
    expectSame(sliced.save(), expected);
    for (const half of [halves.at(0), halves.at(halves.length >> 1)]) {
      if (half === undefined) continue;
      using resumed = await VectorIndex.load(half);
      await resumed.build();
      expectSame(resumed.save(), expected);
    }
    expect(halves.length > 0 || type === 'FLAT').toBe(true);
    for (const build of WASM_BUILDS) {
      const memory = await VectorMemory.create({ module: await nodeModule(build), maxBytes: 2 ** 26 });
      const dirt = memory.kernel.tryAllocate(2 ** 25)!;
      memory.kernel.bytes.fill(0xa5, dirt, dirt + 2 ** 25);
      memory.kernel.release(dirt);
      using other = await built(type, { memory });
      // Float32 distances may differ in the last bits between the builds, and so may a graph that is built on them.
      if (type !== 'HNSW') expectSame(other.save(), expected);
    }
  });

  it('loads what it saved, searches alike, and goes on from there', async () => {
    using index = await built(type);
    index.remove([5, 6]);
    const saved = index.save();
    const memory = await VectorMemory.create({ maxBytes: 2 ** 26 });
    const before = memory.bytes;
    const loaded = await VectorIndex.load(saved, { memory });
    expectSame(loaded.save(), saved);
    expect(loaded.searchMany(ASKED, { limit: LIMIT })).toEqual(index.searchMany(ASKED, { limit: LIMIT }));
    const more = vectorsOf(300);
    for (const each of [index, loaded]) {
      each.add(more);
      await each.build();
    }
    expectSame(loaded.save(), index.save());
    expect(Math.abs(loaded.bytes / index.bytes - 1)).toBeLessThan(0.25);
    loaded.free();
    // What all searches share may stay.
    expect(memory.bytes - before).toBeLessThan(8192);
  });
});

describe.each(CODED)('exact vectors outside of a %s', (type) => {
  it('are handed in by the caller, and are not in the blob', async () => {
    using exact = await filled('FLAT');
    const truth = exact.searchMany(ASKED, { limit: LIMIT });
    using inside = await built(type);
    using outside = await built(type, { exact: 'none' });
    const codes = inside.save({ exact: false });
    expectSame(outside.save(), codes);
    expect(codes.byteLength).toBeLessThan(inside.save().byteLength - 4 * DIMENSION * ROWS + 64);
    expect(outside.bytes).toBeLessThan(inside.bytes - 3.5 * DIMENSION * ROWS);
    using loaded = await VectorIndex.load(codes);
    expect(loaded.spec.exact).toBe('none');
    const options = { limit: LIMIT, refine: exactOf, refineK: 100, ef: 100 };
    const refined = loaded.searchMany(ASKED, options);
    expect(recall(refined, truth)).toBeGreaterThan(0.9);
    expect(refined.distances[0]).toBeCloseTo(truth.distances[0]!, 4);
    const later = await loaded.searchAsync(FIRST, { ...options, refine: async (ids) => exactOf(ids) });
    expect([...later.ids]).toEqual([...refined.ids.subarray(0, LIMIT)]);
  });

  it('go when new vectors are built too, and are not needed for those to be found', async () => {
    using index = await built(type, { exact: 'none' });
    const more = vectorsOf(200);
    const query = more.subarray(0, DIMENSION);
    const before = index.bytes;
    index.add(more);
    expect(index.search(query, { limit: 3 }).ids[0]).toBe(ROWS);
    using half = await VectorIndex.load(index.save());
    for (const each of [index, half]) await each.build();
    expectSame(half.save(), index.save());
    expect([...index.search(query, { limit: 20, ef: 200, nprobe: 64 }).ids]).toContain(ROWS);
    expect(index.bytes - before).toBeLessThan(200 * 4 * DIMENSION + 32 * 1024);
    expect(index.save().byteLength).toBe(index.save({ exact: false }).byteLength);
  });
});

describe('a graph whose links outgrow 16 bits on the way', () => {
  it('is the same bytes however it was cut into slices, and is loaded', async () => {
    const rows = 66_000;
    const vectors = Float32Array.from({ length: rows * 3 }, real);
    const make = async (sliceMs: number): Promise<VectorIndex> => {
      const index = await VectorIndex.create({ type: 'HNSW_SQ8', metric: 'L2', dimension: 3, M: 2, efConstruction: 6 });
      index.add(vectors);
      await index.build({ sliceMs });
      return index;
    };
    using whole = await make(Number.POSITIVE_INFINITY);
    using sliced = await make(10);
    const saved = whole.save();
    expectSame(sliced.save(), saved);
    using loaded = await VectorIndex.load(saved);
    const query = vectors.subarray(0, 3);
    expect(loaded.search(query, { limit: 5, ef: 200 })).toEqual(whole.search(query, { limit: 5, ef: 200 }));
  });
});
