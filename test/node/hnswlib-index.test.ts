import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import type { HnswGraph } from '../../core/vector/hnsw-graph.ts';
import { readHnswlib } from '../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../core/vector/hnswlib-writer.ts';
import { decodeIndexFile } from '../../core/vector/index-file.ts';
import { graphOfSaved } from '../../wasm/hnsw-export.ts';
import type { GraphMetric } from '../../wasm/hnsw-import.ts';
import { VectorIndex } from '../../wasm/index.ts';
import { expectPromises, inBits } from '../core/vector/hnsw-graphs.ts';
import { searchGraph } from '../core/vector/hnsw-reference.ts';
import { referenceDistance } from '../core/vector/reference.ts';
import { type HnswlibSpace, HnswlibWasm, type HnswlibWasmIndex } from './hnswlib-wasm.ts';
import { nodeModule, WASM_BUILDS } from './kernel.ts';

/** The same graph, searched by hnswlib and by Elanus, gives the same neighbours: both ways, in each metric. */

const hnswlib = await HnswlibWasm.load();
const METRICS: readonly (readonly [GraphMetric, HnswlibSpace])[] = [
  ['L2', 'l2'],
  ['IP', 'ip'],
  ['COSINE', 'cosine'],
];
const DIMENSION = 20;
const SIZE = 1500;
const LIMIT = 10;

function draw(count: number, seed: number, dimension: number = DIMENSION): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimension }, () => random() / 2 ** 31 - 1));
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

/** A graph that can be searched, of random vectors: built by hnswlib, given other labels. */
async function graphWith(labels: HnswGraph['labels'], options: { M?: number } = {}): Promise<HnswGraph> {
  const index = hnswlib.create('l2', 4);
  index.initIndex(labels.length, options.M ?? 4, 40, 1);
  draw(labels.length, 7, 4).forEach((vector, row) => {
    index.addPoint(vector, row, false);
  });
  return { ...readHnswlib(await hnswlib.save(index)).graph, labels };
}

async function open<Ids extends Float64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer> = Float64Array<ArrayBuffer>>(
  graph: HnswGraph,
): Promise<VectorIndex<Ids>> {
  const bytes = writeHnswlib(graph, { layout: '64' });
  return await VectorIndex.fromHnswlib<Ids>(bytes, { metric: 'L2', dimension: 4, module: await nodeModule() });
}

describe('ids', () => {
  it('of 64 bits stay what they are', async () => {
    const labels = BigUint64Array.from({ length: 50 }, (_, row) => 2n ** 64n - 1n - BigInt(row * row));
    const graph = await graphWith(labels);
    using index = await open<BigUint64Array<ArrayBuffer>>(graph);
    expect(index.search(draw(12, 7, 4)[11]!, { limit: 1 }).ids).toEqual(BigUint64Array.of(labels[11]!));
    expect(index.toHnswlib({ layout: '64' })).toEqual(writeHnswlib(graph, { layout: '64' }));
  });

  it('that are the rows cost nothing', async () => {
    const rows = Float64Array.from({ length: 200 }, (_, row) => row);
    using plain = await open(await graphWith(rows));
    using named = await open(await graphWith(rows.map((row) => row + 1)));
    expect(named.bytes - plain.bytes).toBeGreaterThanOrEqual(4 * 200);
    expect([...plain.search(draw(3, 7, 4)[2]!, { limit: 1 }).ids]).toEqual([2]);
  });

  it('that came again, or are removed, are deleted there', async () => {
    using ours = await VectorIndex.create({ type: 'HNSW', metric: 'L2', dimension: 4, module: await nodeModule() });
    const [first, second] = [draw(30, 8, 4), draw(10, 9, 4)];
    ours.add(first, [...first.keys()]);
    ours.add(second, [...second.keys()]);
    ours.remove([3, 25]);
    await ours.build();
    const bytes = ours.toHnswlib({ layout: '32' });
    const { graph } = readHnswlib(bytes);
    expect([...graph.deleted]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 25, 33]);
    const theirs = await hnswlib.open(bytes, { space: 'l2', dimension: 4 });
    theirs.setEfSearch(40);
    using again = await VectorIndex.fromHnswlib(bytes, { metric: 'L2', dimension: 4, module: await nodeModule() });
    for (const query of draw(20, 10, 4)) {
      const { ids } = ours.search(query, { limit: 5, ef: 40 });
      expect(theirs.searchKnn(query, 5, undefined).neighbors).toEqual([...ids]);
      expect(again.search(query, { limit: 5, ef: 40 }).ids).toEqual(ids);
    }
    expect(again.remove([3])).toBe(0);
    expect(again.remove([4])).toBe(1);
  });

  it('without a sign alone can be labels', async () => {
    using index = await VectorIndex.create({ type: 'HNSW', metric: 'L2', dimension: 4, module: await nodeModule() });
    index.add(draw(2, 1, 4), [5, -5]);
    await index.build();
    expect(() => index.toHnswlib({ layout: '64' })).toThrow('The id -5 is negative');
  });
});

/** The graph with its entry alone on further levels, up to `maxLevel`. */
function raised(graph: HnswGraph, maxLevel: number): HnswGraph {
  const { entry, M } = graph;
  const before = graph.levels.subarray(0, entry + 1).reduce((lists, level) => lists + level, 0) * (1 + M);
  const added = (maxLevel - graph.maxLevel) * (1 + M);
  const upper = new Uint32Array(graph.upper.length + added);
  upper.set(graph.upper.subarray(0, before));
  upper.set(graph.upper.subarray(before), before + added);
  return { ...graph, maxLevel, upper, levels: graph.levels.map((level, row) => (row === entry ? maxLevel : level)) };
}

describe('a graph from hnswlib', () => {
  it('goes on growing, here and there', async () => {
    using index = await open(await graphWith(Float64Array.from({ length: 300 }, (_, row) => row)));
    const more = draw(400, 11, 4);
    index.add(more);
    expect(index.pending).toBe(400);
    const expected = more.map((vector) => index.search(vector, { limit: 1, ef: 50 }).ids[0]);
    await index.build();
    expect(expected).toEqual(more.map((_, row) => 300 + row));
    const found = more.filter((vector, row) => index.search(vector, { limit: 1, ef: 50 }).ids[0] === 300 + row);
    expect(found.length).toBeGreaterThan(395);
    const file = index.toHnswlib({ layout: '32', maxElements: 800 });
    expectPromises(readHnswlib(file).graph);
    const theirs = await hnswlib.open(file, { space: 'l2', dimension: 4, maxElements: 800 });
    draw(50, 12, 4).forEach((vector, row) => {
      theirs.addPoint(vector, 700 + row, false);
    });
    expect(theirs.getCurrentCount()).toBe(750);
  });

  it.each([0, 1, 2])('of %i elements', async (size) => {
    const graph = await graphWith(Float64Array.from({ length: size }, (_, row) => row + 9));
    using index = await open(graph);
    expect(index.size).toBe(size);
    expect([...index.search([0, 0, 0, 0], { limit: 5 }).ids].sort((a, b) => a - b)).toEqual([...graph.labels]);
    expect(index.toHnswlib({ layout: '64' })).toEqual(writeHnswlib(graph, { layout: '64' }));
    index.add(
      draw(20, 13, 4),
      [...draw(20, 1, 4).keys()].map((row) => row + 100),
    );
    await index.build();
    expect(index.search([0, 0, 0, 0], { limit: 30 }).ids.length).toBe(20 + size);
  });

  it('whose entry is deleted', async () => {
    const graph = await graphWith(Float64Array.from({ length: 100 }, (_, row) => row));
    using index = await open({ ...graph, deleted: Uint32Array.of(graph.entry) });
    for (const query of draw(20, 14, 4)) {
      const expected = searchGraph({ ...graph, deleted: Uint32Array.of(graph.entry) }, 'L2', query, {
        limit: 5,
        ef: 60,
      });
      expect([...index.search(query, { limit: 5, ef: 60 }).ids]).toEqual(expected.map(({ row }) => row));
    }
  });

  it('may have more levels than are kept', async () => {
    const graph = await graphWith(Float64Array.from({ length: 100 }, (_, row) => row));
    using index = await open(raised(graph, 30));
    expect(index.toHnswlib({ layout: '64' })).toEqual(writeHnswlib(raised(graph, 16), { layout: '64' }));
    for (const query of draw(20, 15, 4)) {
      const expected = searchGraph(graph, 'L2', query, { limit: 5, ef: 20 });
      expect([...index.search(query, { limit: 5, ef: 20 }).ids]).toEqual(expected.map(({ row }) => row));
    }
  });

  it('of more rows than links of 2 bytes can name', async () => {
    const size = 70_000;
    const links = (row: number) => [1, 2, 3, 5].map((step) => (row * step + 7 * step) % size);
    const graph: HnswGraph = {
      dimension: 4,
      M: 2,
      maxM0: 4,
      efConstruction: 10,
      size,
      entry: 69_999,
      maxLevel: 0,
      levels: new Uint8Array(size),
      links0: Uint32Array.from(Array.from({ length: size }, (_, row) => [4, ...links(row)]).flat()),
      upper: new Uint32Array(0),
      vectors: Float32Array.from(draw(size, 16, 4).flatMap((vector) => [...vector])),
      labels: Float64Array.from({ length: size }, (_, row) => row),
      deleted: new Uint32Array(0),
    };
    using index = await open(graph);
    expect(inBits(readHnswlib(index.toHnswlib({ layout: '64' })).graph)).toEqual(inBits(graph));
    for (const query of draw(5, 17, 4)) {
      const expected = searchGraph(graph, 'L2', query, { limit: 5, ef: 50 });
      expect([...index.search(query, { limit: 5, ef: 50 }).ids]).toEqual(expected.map(({ row }) => row));
    }
  });

  it('has vectors of length 1 for COSINE: others become so, and those that are stay as they are', async () => {
    const graph = await graphWith(Float64Array.from({ length: 60 }, (_, row) => row));
    const bytes = writeHnswlib(graph, { layout: '64' });
    using index = await VectorIndex.fromHnswlib(bytes, { metric: 'COSINE', dimension: 4, module: await nodeModule() });
    const query = [1, 2, 3, 4];
    const { ids, distances } = index.search(query, { limit: 60, ef: 60 });
    ids.forEach((row, at) => {
      const vector = graph.vectors.subarray(row * 4, (row + 1) * 4);
      expect(distances[at]).toBeCloseTo(referenceDistance('COSINE', query, vector), 5);
    });
    const written = index.toHnswlib({ layout: '64' });
    using again = await VectorIndex.fromHnswlib(written, {
      metric: 'COSINE',
      dimension: 4,
      module: await nodeModule(),
    });
    expect(again.toHnswlib({ layout: '64' })).toEqual(written);
  });
});

describe('what cannot be', () => {
  const refused = async (bytes: Uint8Array, options: object): Promise<string> => {
    const all = { metric: 'L2', dimension: 4, module: await nodeModule(), ...options } as const;
    const error: unknown = await VectorIndex.fromHnswlib(bytes, all).then(
      (index) => index.free(),
      (reason: unknown) => reason,
    );
    return `${codeOf(error)}: ${String((error as Error).message)}`;
  };

  it('is refused: files and options', async () => {
    const graph = await graphWith(Float64Array.from({ length: 20 }, (_, row) => row));
    const bytes = writeHnswlib(graph, { layout: '64' });
    expect(await refused(bytes, { dimension: 5 })).toMatch(/^invalid: .*4 float32 values each, not 5/);
    expect(await refused(bytes, { dimension: 0 })).toMatch(/^invalid: dimension is 0/);
    expect(await refused(bytes, { metric: 'HAMMING' })).toMatch(/^invalid: metric is HAMMING/);
    expect(await refused(bytes, { ef: 50 })).toMatch(/^invalid: .*ef/);
    const large = await graphWith(Float64Array.from({ length: 3000 }, (_, row) => row));
    expect(await refused(writeHnswlib(large, { layout: '64' }), { maxBytes: 131_072 })).toMatch(/^quota: /);
    expect(await refused(new Uint8Array(10), {})).toMatch(/^invalid: These 10 bytes are not an index of hnswlib/);
    expect(await refused(bytes.subarray(0, -4), {})).toMatch(/^corrupt: .*cut off/);
    graph.vectors[4 * 7 + 2] = Number.NaN;
    expect(await refused(writeHnswlib(graph, { layout: '64' }), {})).toMatch(/^invalid: Value 2 of vector 7 is NaN/);
    const wide = await graphWith(
      Float64Array.from({ length: 20 }, (_, row) => row),
      { M: 129 },
    );
    expect(await refused(writeHnswlib(wide, { layout: '64' }), {})).toMatch(/^unsupported: .*129 links/);
  });

  it('is refused: to write what is no graph with its vectors', async () => {
    const module = await nodeModule();
    using flat = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 4, module });
    expect(() => flat.toHnswlib({ layout: '64' })).toThrow('An index of type FLAT has no graph');
    using codes = await VectorIndex.create({ type: 'HNSW_SQ8', metric: 'L2', dimension: 4, exact: 'none', module });
    codes.add(draw(30, 18, 4));
    expect(() => codes.toHnswlib({ layout: '64' })).toThrow('30 vectors are not yet in the graph. Call build first.');
    await codes.build();
    expect(() => codes.toHnswlib({ layout: '64' })).toThrow('keeps codes only');
    expect(() => codes.toHnswlib({ layout: '16' as '64' })).toThrow('layout is 16');
    expect(() => codes.toHnswlib({ layout: '64', ef: 5 } as never)).toThrow('no option ef');
  });

  it.each(['HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const)('but %s with its vectors can be', async (type) => {
    using ours = await VectorIndex.create({ type, metric: 'L2', dimension: 4, M: 8, module: await nodeModule() });
    ours.add(draw(300, 19, 4));
    await ours.build();
    const file = ours.toHnswlib({ layout: '32' });
    expectPromises(readHnswlib(file).graph);
    const theirs = await hnswlib.open(file, { space: 'l2', dimension: 4 });
    theirs.setEfSearch(100);
    const found = draw(300, 19, 4).filter((vector, row) => theirs.searchKnn(vector, 1, undefined).neighbors[0] === row);
    expect(found.length).toBeGreaterThan(295);
  });
});
