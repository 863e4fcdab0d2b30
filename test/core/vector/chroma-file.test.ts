import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../core/base/bytes.ts';
import { type ChromaFile, recogniseChromaFile } from '../../../core/vector/chroma-file.ts';
import { readHnswlib } from '../../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../../core/vector/hnswlib-writer.ts';
import { type GraphCase, makeGraph } from './hnsw-graphs.ts';

const CASE: GraphCase = { seed: 5, dimension: 8, M: 4, size: 20, labels: '32 bits' };
const HEADER_BYTES = 96;
const ROOM = 50;

/**
 * The four files as Chroma's fork of hnswlib writes them (`persistHeader` and what follows in its hnswalg.h): the same
 * parts as in the single file, with a version before the header and with room for elements to come.
 */
function chromaFiles(): Record<ChromaFile, Uint8Array> {
  const graph = makeGraph(CASE);
  const bytes = writeHnswlib(graph, { layout: '64', maxElements: ROOM });
  const stride = 4 + 4 * graph.maxM0 + 4 * graph.dimension + 8;
  const linksAt = HEADER_BYTES + graph.size * stride;
  const room = new Uint8Array((ROOM - graph.size) * stride);
  return {
    'header.bin': concatBytes([Uint8Array.of(1, 0, 0, 0), bytes.subarray(0, HEADER_BYTES)]),
    'data_level0.bin': concatBytes([bytes.subarray(HEADER_BYTES, linksAt), room]),
    'length.bin': new Uint8Array(new Float32Array(ROOM).fill(1, 0, graph.size).buffer),
    'link_lists.bin': bytes.slice(linksAt),
  };
}

describe("Chroma's four files", () => {
  it.each(['header.bin', 'data_level0.bin', 'link_lists.bin'] as const)('%s is refused by its name', (name) => {
    const bytes = chromaFiles()[name];
    expect(recogniseChromaFile(bytes, CASE.dimension)).toBe(name);
    expect(() => readHnswlib(bytes, { dimension: CASE.dimension })).toThrow(
      `This is ${name} of a Chroma index, which is a directory of four files and another format than hnswlib's.`,
    );
  });

  it('length.bin, which has no shape of its own, is refused with a word about Chroma', () => {
    expect(() => readHnswlib(chromaFiles()['length.bin'])).toThrow(
      /not an index of hnswlib.*not the four files of Chroma/,
    );
  });

  it('are not seen in files of hnswlib', () => {
    for (const layout of ['64', '32'] as const) {
      expect(recogniseChromaFile(writeHnswlib(makeGraph(CASE), { layout }), CASE.dimension)).toBeUndefined();
    }
  });
});
