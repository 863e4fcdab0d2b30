import { assert } from '../base/assert.ts';
import { ElanusError } from '../base/error.ts';
import type { HnswGraph } from './hnsw-graph.ts';
import {
  HNSWLIB_M_MAX,
  type HnswlibLayout,
  LAYOUT_BYTES,
  LIST_COUNT_MAX,
  writeHnswlibHeader,
} from './hnswlib-header.ts';

/** See hnswlib-reader.ts. */
const DELETE_MARK = 1 << 16;

export interface HnswlibWriting {
  /** `'64'` for hnswlib in C++, Python and Node; `'32'` for hnswlib-wasm. */
  readonly layout: HnswlibLayout;
  /** Elements that hnswlib makes room for when it loads the file without being told a number; default: as many as there are. */
  readonly maxElements?: number;
}

/**
 * Writes the single file that hnswlib's `loadIndex` reads, in the layout of the machine that will read it. The same
 * graph gives the same bytes; unused slots are 0.
 *
 * hnswlib does not normalise what it loads: the vectors of a graph for cosine must be normalised, as `HnswGraph` says.
 *
 * Throws `invalid` if the file cannot say it: a label of 2^32 or more in 32 bits, a file of 4 GiB or more there,
 * `maxElements` below the size, or an M beyond hnswlib's own bound of 10,000.
 */
export function writeHnswlib(graph: HnswGraph, options: HnswlibWriting): Uint8Array<ArrayBuffer> {
  checkGraph(graph);
  const { layout } = options;
  const { size, dimension, M, maxM0 } = graph;
  const maxElements = options.maxElements ?? size;
  const { header, sizeT } = LAYOUT_BYTES[layout];
  const vectorOffset = 4 + 4 * maxM0;
  const labelOffset = vectorOffset + 4 * dimension;
  const bytesPerElement = labelOffset + sizeT;
  const fileBytes = header + size * (bytesPerElement + 4) + 4 * graph.upper.length;
  checkWritable(graph, { layout, maxElements, fileBytes });
  const bytes = new Uint8Array(fileBytes);
  writeHnswlibHeader(new DataView(bytes.buffer), layout, {
    offsetLevel0: 0,
    maxElements,
    size,
    bytesPerElement,
    labelOffset,
    vectorOffset,
    maxLevel: graph.maxLevel,
    entry: graph.entry,
    maxM: M,
    maxM0,
    M,
    mult: 1 / Math.log(M),
    efConstruction: Math.max(graph.efConstruction, M),
  });
  const words = new Uint32Array(bytes.buffer);
  writeElements(words, graph, { start: header / 4, stride: bytesPerElement / 4, isWide: sizeT === 8 });
  writeUpper(words, graph, (header + size * bytesPerElement) / 4);
  return bytes;
}

/** What the makers of a graph promise: an index that breaks it must not leave the house. */
function checkGraph(graph: HnswGraph): void {
  const { size, dimension, M, maxM0, levels } = graph;
  let lists = 0;
  for (const level of levels) lists += level;
  assert(levels.length === size && graph.labels.length === size, 'a graph has a level and a label for each row');
  assert(graph.links0.length === size * (1 + maxM0), 'a graph has a list on level 0 for each row');
  assert(graph.upper.length === lists * (1 + M), 'a graph has a list for each row and level above 0');
  assert(graph.vectors.length === size * dimension, 'a graph has a vector for each row');
  assert(
    size === 0
      ? graph.entry === -1 && graph.maxLevel === -1
      : graph.maxLevel >= 0 && levels[graph.entry] === graph.maxLevel,
    'the entry of a graph is on its highest level',
  );
}

function checkWritable(
  graph: HnswGraph,
  file: { readonly layout: HnswlibLayout; readonly maxElements: number; readonly fileBytes: number },
): void {
  const { size, M, maxM0, labels } = graph;
  const { maxElements, fileBytes } = file;
  if (M < 2 || M > HNSWLIB_M_MAX || maxM0 > LIST_COUNT_MAX) {
    throw new ElanusError('invalid', `hnswlib has M from 2 to ${HNSWLIB_M_MAX}: it cannot load an index of M ${M}.`);
  }
  const maxElementsMax = file.layout === '32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER;
  if (!Number.isInteger(maxElements) || maxElements < size || maxElements > maxElementsMax) {
    throw new ElanusError(
      'invalid',
      `maxElements is ${maxElements}; give a whole number of at least ${size}, the size.`,
    );
  }
  if (file.layout === '64') return;
  if (fileBytes >= 2 ** 32) {
    throw new ElanusError('invalid', `The index takes ${fileBytes} bytes: a 32-bit hnswlib loads less than 4 GiB.`);
  }
  const row = labels.findIndex((label: number | bigint) => label >= 2 ** 32);
  if (row >= 0) {
    throw new ElanusError(
      'invalid',
      `The id ${labels[row]} needs more than 32 bits, and a 32-bit hnswlib has no more. Write the 64-bit layout.`,
      { details: { row } },
    );
  }
}

function writeElements(
  words: Uint32Array,
  graph: HnswGraph,
  file: { readonly start: number; readonly stride: number; readonly isWide: boolean },
): void {
  const { size, dimension, maxM0, links0, labels } = graph;
  const components = new Float32Array(words.buffer);
  for (let row = 0; row < size; row++) {
    const at = file.start + row * file.stride;
    writeList(words, at, links0, row * (1 + maxM0));
    const vectorAt = at + 1 + maxM0;
    components.set(graph.vectors.subarray(row * dimension, (row + 1) * dimension), vectorAt);
    const label = labels[row] ?? 0;
    const labelAt = vectorAt + dimension;
    if (typeof label === 'number') {
      words[labelAt] = label % 2 ** 32;
      if (file.isWide) words[labelAt + 1] = Math.floor(label / 2 ** 32);
    } else {
      words[labelAt] = Number(label & 0xffff_ffffn);
      if (file.isWide) words[labelAt + 1] = Number(label >> 32n);
    }
  }
  for (const row of graph.deleted) {
    const at = file.start + row * file.stride;
    words[at] = (words[at] ?? 0) | DELETE_MARK;
  }
}

function writeUpper(words: Uint32Array, graph: HnswGraph, start: number): void {
  const { M, levels, upper } = graph;
  let at = start;
  let from = 0;
  for (const level of levels) {
    words[at++] = level * 4 * (1 + M);
    for (let list = 0; list < level; list++) {
      writeList(words, at, upper, from);
      at += 1 + M;
      from += 1 + M;
    }
  }
}

/** The count and as many links; slots after them stay 0. */
function writeList(words: Uint32Array, at: number, lists: Uint32Array, start: number): void {
  words.set(lists.subarray(start, start + 1 + (lists[start] ?? 0)), at);
}
