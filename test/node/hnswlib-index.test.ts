import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { readHnswlib } from '../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../core/vector/hnswlib-writer.ts';
import { decodeIndexFile } from '../../core/vector/index-file.ts';
import { graphOfSaved } from '../../wasm/hnsw-export.ts';
import { VectorIndex } from '../../wasm/index.ts';
import { expectPromises, inBits } from '../core/vector/hnsw-graphs.ts';
import { type HnswlibSpace, HnswlibWasm, type HnswlibWasmIndex } from './hnswlib-wasm.ts';
import { nodeModule, WASM_BUILDS } from './kernel.ts';

/** The same graph, searched by hnswlib and by Elanus, gives the same neighbours: both ways, in each metric. */

const hnswlib = await HnswlibWasm.load();
type GraphMetric = 'L2' | 'IP' | 'COSINE';

const METRICS: readonly (readonly [GraphMetric, HnswlibSpace])[] = [
  ['L2', 'l2'],
  ['IP', 'ip'],
  ['COSINE', 'cosine'],
];
const DIMENSION = 20;
const SIZE = 1500;
const LIMIT = 10;

function draw(count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: DIMENSION }, () => random() / 2 ** 31 - 1));
}

function labelOf(row: number): number {
  return 2_000_003 * (SIZE - row);
}

function buildHnswlib(space: HnswlibSpace, options: { deleteEvery?: number } = {}): HnswlibWasmIndex {
  const index = hnswlib.create(space, DIMENSION);
  index.initIndex(SIZE, 8, 80, 3);
  draw(SIZE, 1).forEach((vector, row) => {
    index.addPoint(vector, labelOf(row), false);
  });
  const { deleteEvery } = options;
  if (deleteEvery !== undefined) for (let row = 0; row < SIZE; row += deleteEvery) index.markDelete(labelOf(row));
  return index;
}

/** Hits of hnswlib, its distances in the metric's own values. */
function askHnswlib(index: HnswlibWasmIndex, metric: GraphMetric, query: Float32Array, ef: number) {
  index.setEfSearch(ef);
  const { neighbors, distances } = index.searchKnn(query, LIMIT, undefined);
  return { ids: neighbors, distances: distances.map((distance) => (metric === 'L2' ? distance : 1 - distance)) };
}

function expectSameHits(
  index: VectorIndex,
  query: Float32Array,
  ef: number,
  of: { ids: readonly number[]; distances: readonly number[] },
): void {
  const { ids, distances } = index.search(query, { limit: LIMIT, ef });
  expect([...ids]).toEqual(of.ids);
  distances.forEach((distance, at) => {
    expect(distance).toBeCloseTo(of.distances[at]!, 4);
  });
}

describe.each(METRICS)('%s', (metric, space) => {
  it.each(WASM_BUILDS)('an index of hnswlib gives the same neighbours here, by the %s build', async (build) => {
    const module = await nodeModule(build);
    const theirs = buildHnswlib(space);
    const file = await hnswlib.save(theirs);
    using ours = await VectorIndex.fromHnswlib(file, { metric, dimension: DIMENSION, module });
    expect(ours.spec).toMatchObject({ type: 'HNSW', metric, dimension: DIMENSION, M: 8, efConstruction: 80 });
    expect({ size: ours.size, pending: ours.pending }).toEqual({ size: SIZE, pending: 0 });
    for (const ef of [10, 20, 100]) {
      for (const query of draw(50, 2)) expectSameHits(ours, query, ef, askHnswlib(theirs, metric, query, ef));
    }
  });

  it.each(['HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const)('and as %s nearly the same', async (type) => {
    const theirs = buildHnswlib(space);
    const file = await hnswlib.save(theirs);
    const options = { metric, dimension: DIMENSION, type, module: await nodeModule() };
    using ours = await VectorIndex.fromHnswlib(file, options);
    using codes = await VectorIndex.fromHnswlib(file, { ...options, exact: 'none' });
    expect(ours.spec).toMatchObject({ type, exact: 'memory' });
    expect(ours.bytes - codes.bytes).toBeGreaterThan(SIZE * DIMENSION * 4 * 0.9);
    const vectors = new Map(draw(SIZE, 1).map((vector, row) => [labelOf(row), vector]));
    const refine = (ids: Float64Array) => Float32Array.from([...ids].flatMap((id) => [...vectors.get(id)!]));
    let [same, sameOfCodes] = [0, 0];
    for (const query of draw(50, 2)) {
      const expected = askHnswlib(theirs, metric, query, 300);
      const hits = ours.search(query, { limit: LIMIT, ef: 300, refineK: 300 });
      same += [...hits.ids].filter((id) => expected.ids.includes(id)).length;
      const refined = codes.search(query, { limit: LIMIT, ef: 300, refineK: 300, refine });
      sameOfCodes += [...refined.ids].filter((id) => expected.ids.includes(id)).length;
    }
    expect(same / (50 * LIMIT)).toBeGreaterThan(0.97);
    expect(sameOfCodes / (50 * LIMIT)).toBeGreaterThan(0.97);
    using loaded = await VectorIndex.load(ours.save(), { module: options.module });
    expect(loaded.save()).toEqual(ours.save());
    expect(ours.toHnswlib({ layout: '32' })).toEqual(writeHnswlib(readHnswlib(file).graph, { layout: '32' }));
  });

  it('deleted elements are not found, and what lies behind them is', async () => {
    const theirs = buildHnswlib(space, { deleteEvery: 3 });
    const file = await hnswlib.save(theirs);
    using ours = await VectorIndex.fromHnswlib(file, { metric, dimension: DIMENSION, module: await nodeModule() });
    expect(ours.size).toBe(SIZE - 500);
    let same = 0;
    for (const query of draw(50, 4)) {
      const { ids } = ours.search(query, { limit: LIMIT, ef: 60 });
      expect(ids.length).toBe(LIMIT);
      expect([...ids].filter((id) => (SIZE - id / 2_000_003) % 3 === 0)).toEqual([]);
      const expected = new Set(askHnswlib(theirs, metric, query, 60).ids);
      same += [...ids].filter((id) => expected.has(id)).length;
    }
    // The two stop at different moments when they pass through what they may not return.
    expect(same).toBeGreaterThan(0.98 * 50 * LIMIT);
  });

  it('a file that was read is written again byte by byte', async () => {
    const bytes = await hnswlib.save(buildHnswlib(space, { deleteEvery: 7 }));
    using ours = await VectorIndex.fromHnswlib(bytes, { metric, dimension: DIMENSION, module: await nodeModule() });
    const written = writeHnswlib(readHnswlib(bytes).graph, { layout: '32' });
    expect(ours.toHnswlib({ layout: '32' })).toEqual(written);
    using loaded = await VectorIndex.load(ours.save(), { module: await nodeModule() });
    expect(loaded.toHnswlib({ layout: '32' })).toEqual(written);
  });

  it('an index of ours gives the same neighbours there', async () => {
    using ours = await VectorIndex.create({
      type: 'HNSW',
      metric,
      dimension: DIMENSION,
      M: 8,
      efConstruction: 80,
      module: await nodeModule(),
    });
    ours.add(
      draw(SIZE, 5),
      Array.from({ length: SIZE }, (_, row) => labelOf(row)),
    );
    await ours.build({ sliceMs: Number.POSITIVE_INFINITY });
    const file = ours.toHnswlib({ layout: '32' });
    const { graph } = readHnswlib(file);
    expectPromises(graph);
    expect(inBits(graphOfSaved(decodeIndexFile(ours.save()), graph))).toEqual(inBits(graph));
    const theirs = await hnswlib.open(file, { space, dimension: DIMENSION });
    expect(theirs.getCurrentCount()).toBe(SIZE);
    for (const ef of [10, 20, 100]) {
      for (const query of draw(50, 6)) expectSameHits(ours, query, ef, askHnswlib(theirs, metric, query, ef));
    }
  });
});

describe('a file of the native, 64-bit hnswlib', () => {
  const golden = (name: string) => readFile(new URL(`../golden/${name}`, import.meta.url));

  it('gives the answers that hnswlib gave', async () => {
    const bytes = new Uint8Array(await golden('hnswlib-64.bin'));
    using index = await VectorIndex.fromHnswlib(bytes, { metric: 'L2', dimension: 8, module: await nodeModule() });
    expect(index.size).toBe(58);
    const answers = JSON.parse((await golden('hnswlib-64.json')).toString()) as {
      ef: number;
      limit: number;
      queries: { query: number[]; ids: number[]; distances: number[] }[];
    };
    for (const { query, ids, distances } of answers.queries) {
      const found = index.search(query, { limit: answers.limit, ef: answers.ef });
      expect([...found.ids]).toEqual(ids);
      found.distances.forEach((distance, at) => {
        expect(distance).toBeCloseTo(distances[at]!, 5);
      });
    }
    expect(() => index.toHnswlib({ layout: '32' })).toThrow('needs more than 32 bits');
    const { graph } = readHnswlib(bytes);
    expect(index.toHnswlib({ layout: '64', maxElements: 100 })).toEqual(
      writeHnswlib(graph, { layout: '64', maxElements: 100 }),
    );
  });
});
