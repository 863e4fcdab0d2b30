import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import type { HnswGraph } from '../../core/vector/hnsw-graph.ts';
import { readHnswlib } from '../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../core/vector/hnswlib-writer.ts';
import { type FromHnswlibOptions, VectorIndex } from '../../wasm/index.ts';
import { expectPromises, inBits } from '../core/vector/hnsw-graphs.ts';
import { searchGraph } from '../core/vector/hnsw-reference.ts';
import { referenceDistance } from '../core/vector/reference.ts';
import { HnswlibWasm } from './hnswlib-wasm.ts';
import { nodeModule } from './kernel.ts';

/** What graphs and ids there may be in a file of hnswlib, and what is refused. */

const hnswlib = await HnswlibWasm.load();

function draw(count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: 4 }, () => random() / 2 ** 31 - 1));
}

/** A graph that can be searched, of random vectors: built by hnswlib, given other labels. */
async function graphWith(labels: HnswGraph['labels'], options: { M?: number } = {}): Promise<HnswGraph> {
  const index = hnswlib.create('l2', 4);
  index.initIndex(labels.length, options.M ?? 4, 40, 1);
  draw(labels.length, 7).forEach((vector, row) => {
    index.addPoint(vector, row, false);
  });
  return { ...readHnswlib(await hnswlib.save(index)).graph, labels };
}

async function open<Ids extends Float64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer> = Float64Array<ArrayBuffer>>(
  graph: HnswGraph,
  type: FromHnswlibOptions['type'] = 'HNSW',
): Promise<VectorIndex<Ids>> {
  const bytes = writeHnswlib(graph, { layout: '64' });
  return await VectorIndex.fromHnswlib<Ids>(bytes, { metric: 'L2', dimension: 4, type, module: await nodeModule() });
}

describe('ids', () => {
  it('of 64 bits stay what they are', async () => {
    const labels = BigUint64Array.from({ length: 50 }, (_, row) => 2n ** 64n - 1n - BigInt(row * row));
    const graph = await graphWith(labels);
    using index = await open<BigUint64Array<ArrayBuffer>>(graph);
    expect(index.search(draw(12, 7)[11]!, { limit: 1 }).ids).toEqual(BigUint64Array.of(labels[11]!));
    expect(index.toHnswlib({ layout: '64' })).toEqual(writeHnswlib(graph, { layout: '64' }));
  });

  it('that are the rows cost nothing', async () => {
    const rows = Float64Array.from({ length: 200 }, (_, row) => row);
    using plain = await open(await graphWith(rows));
    using named = await open(await graphWith(rows.map((row) => row + 1)));
    expect(named.bytes - plain.bytes).toBeGreaterThanOrEqual(4 * 200);
    expect([...plain.search(draw(3, 7)[2]!, { limit: 1 }).ids]).toEqual([2]);
  });

  it('that came again, or are removed, are deleted there', async () => {
    using ours = await VectorIndex.create({ type: 'HNSW', metric: 'L2', dimension: 4, module: await nodeModule() });
    const [first, second] = [draw(30, 8), draw(10, 9)];
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
    for (const query of draw(20, 10)) {
      const { ids } = ours.search(query, { limit: 5, ef: 40 });
      expect(theirs.searchKnn(query, 5, undefined).neighbors).toEqual([...ids]);
      expect(again.search(query, { limit: 5, ef: 40 }).ids).toEqual(ids);
    }
    expect(again.remove([3])).toBe(0);
    expect(again.remove([4])).toBe(1);
  });

  it('without a sign alone can be labels', async () => {
    using index = await VectorIndex.create({ type: 'HNSW', metric: 'L2', dimension: 4, module: await nodeModule() });
    index.add(draw(2, 1), [5, -5]);
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
  it.each(['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const)(
    'as %s goes on growing, here and there',
    async (type) => {
      using index = await open(await graphWith(Float64Array.from({ length: 300 }, (_, row) => row)), type);
      const more = draw(400, 11);
      index.add(more);
      expect(index.pending).toBe(400);
      const expected = more.map((vector) => index.search(vector, { limit: 1, ef: 50 }).ids[0]);
      await index.build();
      expect(expected).toEqual(more.map((_, row) => 300 + row));
      const found = more.filter((vector, row) => index.search(vector, { limit: 1, ef: 50 }).ids[0] === 300 + row);
      // Four bits a vector lead less well.
      expect(found.length).toBeGreaterThan(type === 'HNSW_RABITQ' ? 350 : 395);
      const file = index.toHnswlib({ layout: '32', maxElements: 800 });
      expectPromises(readHnswlib(file).graph);
      const theirs = await hnswlib.open(file, { space: 'l2', dimension: 4, maxElements: 800 });
      draw(50, 12).forEach((vector, row) => {
        theirs.addPoint(vector, 700 + row, false);
      });
      expect(theirs.getCurrentCount()).toBe(750);
    },
  );

  it('is opened and written by a worker too', async () => {
    const graph = await graphWith(Float64Array.from({ length: 100 }, (_, row) => row + 1));
    const bytes = writeHnswlib(graph, { layout: '64' });
    using there = await VectorIndex.fromHnswlibInWorker(bytes, { metric: 'L2', dimension: 4 });
    using here = await open(graph);
    const query = draw(1, 20)[0]!;
    expect(await there.search(query, { limit: 5 })).toEqual(here.search(query, { limit: 5 }));
    expect(await there.toHnswlib({ layout: '64' })).toEqual(bytes);
    await expect(VectorIndex.fromHnswlibInWorker(bytes, { metric: 'L2', dimension: 5 })).rejects.toMatchObject({
      code: 'invalid',
      details: { dimension: 4 },
    });
  });

  it.each([0, 1, 2])('of %i elements', async (size) => {
    const graph = await graphWith(Float64Array.from({ length: size }, (_, row) => row + 9));
    using index = await open(graph);
    expect(index.size).toBe(size);
    expect([...index.search([0, 0, 0, 0], { limit: 5 }).ids].sort((a, b) => a - b)).toEqual([...graph.labels]);
    expect(index.toHnswlib({ layout: '64' })).toEqual(writeHnswlib(graph, { layout: '64' }));
    index.add(
      draw(20, 13),
      [...draw(20, 1).keys()].map((row) => row + 100),
    );
    await index.build();
    expect(index.search([0, 0, 0, 0], { limit: 30 }).ids.length).toBe(20 + size);
  });

  it('whose entry is deleted', async () => {
    const graph = await graphWith(Float64Array.from({ length: 100 }, (_, row) => row));
    using index = await open({ ...graph, deleted: Uint32Array.of(graph.entry) });
    for (const query of draw(20, 14)) {
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
    for (const query of draw(20, 15)) {
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
      vectors: Float32Array.from(draw(size, 16).flatMap((vector) => [...vector])),
      labels: Float64Array.from({ length: size }, (_, row) => row),
      deleted: new Uint32Array(0),
    };
    using index = await open(graph);
    expect(inBits(readHnswlib(index.toHnswlib({ layout: '64' })).graph)).toEqual(inBits(graph));
    for (const query of draw(5, 17)) {
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
    expect(await refused(bytes, { type: 'FLAT' })).toMatch(/^invalid: type is FLAT/);
    expect(await refused(bytes, { exact: 'none' })).toMatch(/^invalid: HNSW searches exact vectors/);
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
    codes.add(draw(30, 18));
    expect(() => codes.toHnswlib({ layout: '64' })).toThrow('30 vectors are not yet in the graph. Call build first.');
    await codes.build();
    expect(() => codes.toHnswlib({ layout: '64' })).toThrow('keeps codes only');
    expect(() => codes.toHnswlib({ layout: '16' as '64' })).toThrow('layout is 16');
    expect(() => codes.toHnswlib({ layout: '64', ef: 5 } as never)).toThrow('no option ef');
  });

  it.each(['HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const)('but %s with its vectors can be', async (type) => {
    using ours = await VectorIndex.create({ type, metric: 'L2', dimension: 4, M: 8, module: await nodeModule() });
    ours.add(draw(300, 19));
    await ours.build();
    const file = ours.toHnswlib({ layout: '32' });
    expectPromises(readHnswlib(file).graph);
    const theirs = await hnswlib.open(file, { space: 'l2', dimension: 4 });
    theirs.setEfSearch(100);
    const found = draw(300, 19).filter((vector, row) => theirs.searchKnn(vector, 1, undefined).neighbors[0] === row);
    expect(found.length).toBeGreaterThan(295);
  });
});
