import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import type { HnswGraph } from '../../core/vector/hnsw-graph.ts';
import type { HnswlibLayout } from '../../core/vector/hnswlib-header.ts';
import { readHnswlib } from '../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../core/vector/hnswlib-writer.ts';
import { expectPromises, inBits } from '../core/vector/hnsw-graphs.ts';
import { searchGraph } from '../core/vector/hnsw-reference.ts';
import { type HnswlibSpace, HnswlibWasm, type HnswlibWasmIndex } from './hnswlib-wasm.ts';

/** hnswlib is the oracle: hnswlib-wasm for the 32-bit layout, a file of the native library for the 64-bit one. */

const hnswlib = await HnswlibWasm.load();
const SPACES: readonly HnswlibSpace[] = ['l2', 'ip', 'cosine'];
const METRIC_OF = { l2: 'L2', ip: 'IP', cosine: 'COSINE' } as const;
const DIMENSION = 12;

/** Vectors and an index of them, some deleted, with labels that are not the rows. */
function build(space: HnswlibSpace, size: number, options: { M: number; seed: number; room?: number }) {
  const vectors = drawVectors(size, options.seed);
  const index = hnswlib.create(space, DIMENSION);
  index.initIndex(options.room ?? size, options.M, 60, options.seed);
  vectors.forEach((vector, row) => {
    index.addPoint(vector, labelOf(row), false);
  });
  for (let row = 3; row < size; row += 17) index.markDelete(labelOf(row));
  return { vectors, index };
}

function labelOf(row: number): number {
  return 1_000_003 * (row + 1);
}

function drawVectors(count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: DIMENSION }, () => random() / 2 ** 31 - 1));
}

/**
 * The file as Elanus writes it: every slot after a count is 0, where hnswlib leaves what it had before, and 1 / ln(M) is
 * what JavaScript makes of it, which for some M differs from C in the last bit.
 */
function asWritten(bytes: Uint8Array, graph: HnswGraph, layout: HnswlibLayout): Uint8Array {
  const cleared = bytes.slice();
  const view = new DataView(cleared.buffer);
  const multAt = layout === '64' ? 80 : 44;
  expect(view.getFloat64(multAt, true)).toBeCloseTo(1 / Math.log(graph.M), 14);
  view.setFloat64(multAt, 1 / Math.log(graph.M), true);
  const words = new Uint32Array(cleared.buffer);
  const stride = 1 + graph.maxM0 + graph.dimension + Number(layout) / 32;
  let at = (layout === '64' ? 96 : 56) / 4;
  const clear = (slots: number) => words.fill(0, at + 1 + (words[at]! & 0xffff), at + 1 + slots);
  for (let row = 0; row < graph.size; row++, at += stride) clear(graph.maxM0);
  for (const level of graph.levels) {
    at++;
    for (let list = 0; list < level; list++, at += 1 + graph.M) clear(graph.M);
  }
  return cleared;
}

function expectSameAnswers(a: HnswlibWasmIndex, b: HnswlibWasmIndex, seed: number): void {
  for (const ef of [10, 40]) {
    a.setEfSearch(ef);
    b.setEfSearch(ef);
    for (const query of drawVectors(20, seed)) {
      expect(b.searchKnn(query, 10, undefined)).toEqual(a.searchKnn(query, 10, undefined));
    }
  }
}

describe.each(SPACES)('an index of hnswlib-wasm in %s', (space) => {
  it('is read with every field that it has', async () => {
    const { index } = build(space, 300, { M: 6, seed: 1, room: 500 });
    const { layout, maxElements, graph } = readHnswlib(await hnswlib.save(index), { dimension: DIMENSION });
    expectPromises(graph);
    expect({ layout, maxElements }).toEqual({ layout: '32', maxElements: 500 });
    expect(graph).toMatchObject({ dimension: DIMENSION, M: 6, maxM0: 12, efConstruction: 60, size: 300 });
    expect([...graph.labels]).toEqual(Array.from({ length: 300 }, (_, row) => labelOf(row)));
    expect(graph.maxLevel).toBeGreaterThan(1);
    expect([...graph.deleted].map(labelOf).sort()).toEqual(index.getDeletedLabels().sort());
    for (const row of [0, 1, 150, 299]) {
      const vector = graph.vectors.subarray(row * DIMENSION, (row + 1) * DIMENSION);
      expect([...vector]).toEqual([...index.getPoint(labelOf(row))]);
    }
  });

  it('is the graph that hnswlib searches: one that is searched as the paper says gives its answers', async () => {
    const { index } = build(space, 400, { M: 5, seed: 12 });
    const { graph } = readHnswlib(await hnswlib.save(index));
    const metric = METRIC_OF[space];
    for (const ef of [10, 30]) {
      index.setEfSearch(ef);
      for (const query of drawVectors(20, 13)) {
        const { neighbors, distances } = index.searchKnn(query, 10, undefined);
        const found = searchGraph(graph, metric, query, { limit: 10, ef });
        expect(found.map(({ row }) => graph.labels[row])).toEqual(neighbors);
        found.forEach(({ distance }, at) => {
          expect(metric === 'L2' ? distance : 1 - distance).toBeCloseTo(distances[at]!, 5);
        });
      }
    }
  });

  it('is written again byte by byte, and answers the same', async () => {
    const { index } = build(space, 300, { M: 5, seed: 2, room: 400 });
    const bytes = await hnswlib.save(index);
    const { graph, maxElements } = readHnswlib(bytes, { dimension: DIMENSION });
    const written = writeHnswlib(graph, { layout: '32', maxElements });
    expect(written).toEqual(asWritten(bytes, graph, '32'));
    const again = await hnswlib.open(written, { space, dimension: DIMENSION });
    expect(again.getCurrentCount()).toBe(300);
    expectSameAnswers(index, again, 3);
    expect(await hnswlib.save(again)).toEqual(written);
  });

  it('goes on growing once it went through 64 bits', async () => {
    const { index } = build(space, 200, { M: 8, seed: 4, room: 260 });
    const wide = writeHnswlib(readHnswlib(await hnswlib.save(index)).graph, { layout: '64' });
    const narrow = writeHnswlib(readHnswlib(wide).graph, { layout: '32', maxElements: 260 });
    const again = await hnswlib.open(narrow, { space, dimension: DIMENSION, maxElements: 260 });
    expectSameAnswers(index, again, 5);
    drawVectors(50, 6).forEach((vector, row) => {
      again.addPoint(vector, labelOf(200 + row), false);
    });
    expect(again.getCurrentCount()).toBe(250);
    const found = drawVectors(50, 6).filter(
      (vector, row) => again.searchKnn(vector, 1, undefined).neighbors[0] === labelOf(200 + row),
    );
    // By the inner product, a vector is not always nearest to itself.
    expect(found.length).toBeGreaterThan(space === 'ip' ? 5 : 48);
  });
});

describe('sizes at the edge', () => {
  it.each([0, 1, 2, 3])('%i elements', async (size) => {
    const { index } = build('l2', size, { M: 4, seed: 7, room: 10 });
    const bytes = await hnswlib.save(index);
    const { graph, maxElements } = readHnswlib(bytes, { dimension: DIMENSION });
    expectPromises(graph);
    expect(graph.size).toBe(size);
    expect(writeHnswlib(graph, { layout: '32', maxElements })).toEqual(asWritten(bytes, graph, '32'));
  });

  it.each([2, 3, 16, 32, 64])('M %i', async (M) => {
    const { index } = build('l2', 150, { M, seed: 8 });
    const bytes = await hnswlib.save(index);
    const { graph } = readHnswlib(bytes, { dimension: DIMENSION });
    expectPromises(graph);
    expect(graph).toMatchObject({ M, maxM0: 2 * M });
    expect(writeHnswlib(graph, { layout: '32' })).toEqual(asWritten(bytes, graph, '32'));
  });

  it('deleted elements that new ones took the place of', async () => {
    const { index } = build('l2', 100, { M: 4, seed: 9, room: 150 });
    drawVectors(4, 10).forEach((vector, row) => {
      index.addPoint(vector, labelOf(100 + row), true);
    });
    const { graph } = readHnswlib(await hnswlib.save(index));
    expectPromises(graph);
    expect(graph.size).toBe(100);
    expect(graph.deleted.length).toBe(2);
    expect([...graph.labels].filter((label) => label > labelOf(99)).sort()).toEqual([100, 101, 102, 103].map(labelOf));
  });
});

describe('an index of the native, 64-bit hnswlib', () => {
  const golden = (name: string) => readFile(new URL(`../golden/${name}`, import.meta.url));

  it('is read, and written again byte by byte', async () => {
    const bytes = new Uint8Array(await golden('hnswlib-64.bin'));
    const { layout, maxElements, graph } = readHnswlib(bytes, { dimension: 8 });
    expectPromises(graph);
    expect({ layout, maxElements }).toEqual({ layout: '64', maxElements: 100 });
    expect(graph).toMatchObject({ dimension: 8, M: 4, maxM0: 8, efConstruction: 40, size: 60, maxLevel: 4 });
    expect([...graph.deleted]).toEqual([5, 41]);
    expect([...graph.labels]).toEqual(Array.from({ length: 60 }, (_, row) => 7 + row * 4_294_967_311));
    // The generator of hnswlib-64.cpp, for the first component of the first vector.
    expect(graph.vectors[0]).toBe(((1 * 1_664_525 + 1_013_904_223) >>> 8) / 2 ** 24);
    expect(writeHnswlib(graph, { layout: '64', maxElements })).toEqual(asWritten(bytes, graph, '64'));
  });

  it('gives the answers that the native library gave: in hnswlib-wasm, once narrowed, and searched as the paper says', async () => {
    const { graph } = readHnswlib(new Uint8Array(await golden('hnswlib-64.bin')));
    // The labels do not fit 32 bits: rows stand in.
    const narrow = { ...graph, labels: Float64Array.from(graph.levels.keys()) };
    expect(inBits({ ...narrow, labels: graph.labels })).toEqual(inBits(graph));
    const index = await hnswlib.open(writeHnswlib(narrow, { layout: '32' }), { space: 'l2', dimension: 8 });
    const answers = JSON.parse((await golden('hnswlib-64.json')).toString()) as GoldenAnswers;
    index.setEfSearch(answers.ef);
    for (const { query, ids, distances } of answers.queries) {
      const found = index.searchKnn(Float32Array.from(query), answers.limit, undefined);
      expect(found.neighbors.map((row) => graph.labels[row])).toEqual(ids);
      const hits = searchGraph(graph, 'L2', query, answers);
      expect(hits.map(({ row }) => graph.labels[row])).toEqual(ids);
      found.distances.forEach((distance, at) => {
        expect(distance).toBeCloseTo(distances[at]!, 5);
      });
    }
  });
});

interface GoldenAnswers {
  readonly ef: number;
  readonly limit: number;
  readonly queries: readonly { query: number[]; ids: number[]; distances: number[] }[];
}
