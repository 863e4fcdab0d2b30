import { copyBytes } from '../base/bytes.ts';
import { ElanusError, type ErrorDetails } from '../base/error.ts';
import { recogniseChromaFile } from './chroma-file.ts';
import type { HnswGraph } from './hnsw-graph.ts';
import {
  HEADER_CHECKS,
  HNSWLIB_LAYOUTS,
  HNSWLIB_LEVEL_MAX,
  type HnswlibHeader,
  type HnswlibLayout,
  headerFaults,
  LAYOUT_BYTES,
  readHnswlibHeader,
} from './hnswlib-header.ts';

export interface HnswlibFile {
  readonly layout: HnswlibLayout;
  /** Elements that the index had room for when it was saved. */
  readonly maxElements: number;
  readonly graph: HnswGraph;
}

/** In the second half of the word that a list on level 0 begins with: hnswlib's DELETE_MARK. */
const DELETE_MARK = 1;

/**
 * Opens the single file that hnswlib's `saveIndex` writes, for a space of float32 vectors (`l2`, `ip`, `cosine`), in
 * either layout: which one is told by the header's own consistency (see hnswlib-header.ts). The file does not say which
 * space it was built for: the caller does, when it makes an index of the graph.
 *
 * Everything that a search relies on is checked; components of vectors are taken as they are, NaN included. All memory
 * of the graph is its own: `bytes` can be dropped.
 *
 * Throws `invalid` if this is no such file, or if its vectors do not have `dimension` components (default: whatever
 * they have); `corrupt`, naming element and level, if it is one and contradicts itself. hnswlib keeps no checksum: a
 * changed component, label or `ef_construction_` goes unnoticed.
 */
export function readHnswlib(bytes: Uint8Array, options: { readonly dimension?: number } = {}): HnswlibFile {
  const { layout, header } = recognise(bytes, options.dimension);
  checkDimension(header, options.dimension);
  // The words of a file are aligned within it: a view on it is all that is needed, if it is aligned itself.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : copyBytes(bytes);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 4));
  const upperAt = (LAYOUT_BYTES[layout].header + header.size * header.bytesPerElement) / 4;
  const levels = readLevels(words, aligned.byteLength, upperAt, header);
  const elements = readElements(words, layout, header);
  const graph = {
    dimension: (header.labelOffset - header.vectorOffset) / 4,
    M: header.M,
    maxM0: header.maxM0,
    efConstruction: header.efConstruction,
    size: header.size,
    entry: header.entry,
    maxLevel: header.maxLevel,
    levels,
    upper: readUpper(words, upperAt, header, levels),
    ...elements,
  };
  checkLabels(graph);
  return { layout, maxElements: header.maxElements, graph };
}

/** The layout in which the header holds; or the reason why there is none. */
function recognise(bytes: Uint8Array, dimension: number | undefined): { layout: HnswlibLayout; header: HnswlibHeader } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const doubtful = HNSWLIB_LAYOUTS.flatMap((layout) => {
    const header = readHnswlibHeader(view, layout);
    return header === undefined ? [] : { layout, header, faults: headerFaults(header, layout, bytes.byteLength) };
  }).sort((a, b) => a.faults.length - b.faults.length);
  const best = doubtful[0];
  if (best?.faults.length === 0) return best;
  const chroma = recogniseChromaFile(bytes, dimension);
  if (chroma !== undefined) {
    throw new ElanusError(
      'invalid',
      `This is ${chroma} of a Chroma index, which is a directory of four files and another format than hnswlib's. ` +
        "Export the vectors with Chroma's client and add them, or save the index with hnswlib's save_index.",
    );
  }
  // A damaged header is wrong in a few fields; bytes of another kind are wrong in most.
  if (best !== undefined && best.faults.length <= HEADER_CHECKS / 2) {
    throw corrupt(`in its header, read as ${best.layout}-bit, ${best.faults[0]}`, { layout: best.layout });
  }
  throw new ElanusError(
    'invalid',
    `These ${bytes.byteLength} bytes are not an index of hnswlib: neither a 64-bit nor a 32-bit header fits. What is ` +
      "read is the single file that hnswlib's saveIndex (save_index in Python) writes, not the four files of Chroma.",
  );
}

function checkDimension(header: HnswlibHeader, dimension: number | undefined): void {
  const vectorBytes = header.labelOffset - header.vectorOffset;
  if (dimension === undefined || vectorBytes === 4 * dimension) return;
  const other = vectorBytes === dimension ? ' Vectors of 8-bit integers are not read.' : '';
  throw new ElanusError(
    'invalid',
    `The hnswlib index holds vectors of ${vectorBytes} bytes: ${vectorBytes / 4} float32 values each, not ${dimension}. ` +
      `Open it with that dimension.${other}`,
    { details: { dimension: vectorBytes / 4, expected: dimension } },
  );
}

/** Walks over the lengths of the upper lists, which must end where the file does. */
function readLevels(
  words: Uint32Array,
  fileBytes: number,
  upperAt: number,
  header: HnswlibHeader,
): Uint8Array<ArrayBuffer> {
  const levels = new Uint8Array(header.size);
  const listBytes = 4 + 4 * header.M;
  let at = upperAt;
  let highest = -1;
  for (let row = 0; row < header.size; row++) {
    const bytes = words[at];
    if (bytes === undefined) throw corrupt(`it is cut off before the upper lists of element ${row}`, { row });
    const level = bytes / listBytes;
    if (!Number.isInteger(level) || level > HNSWLIB_LEVEL_MAX) {
      throw corrupt(`the upper lists of element ${row} have ${bytes} bytes, but one has ${listBytes}`, { row });
    }
    levels[row] = level;
    highest = Math.max(highest, level);
    at += 1 + bytes / 4;
    if (at > words.length) throw corrupt(`it is cut off in the upper lists of element ${row}`, { row });
  }
  if (4 * at !== fileBytes) throw corrupt(`${fileBytes - 4 * at} bytes follow its last element`);
  if (highest !== header.maxLevel) {
    throw corrupt(`its highest element has level ${highest}, but its header says ${header.maxLevel}`);
  }
  if (header.size > 0 && levels[header.entry] !== highest) {
    throw corrupt(`its entry, element ${header.entry}, has level ${levels[header.entry]}, but another has ${highest}`);
  }
  return levels;
}

/** What the file has for each element in one place: level 0, the vector, the label. */
function readElements(
  words: Uint32Array,
  layout: HnswlibLayout,
  header: HnswlibHeader,
): Pick<HnswGraph, 'links0' | 'vectors' | 'labels' | 'deleted'> {
  const { size, maxM0 } = header;
  const components = new Float32Array(words.buffer, words.byteOffset, words.length);
  const dimension = (header.labelOffset - header.vectorOffset) / 4;
  const links0 = new Uint32Array(size * (1 + maxM0));
  const vectors = new Float32Array(size * dimension);
  const labels = new Labels(size);
  const deleted: number[] = [];
  const isWide = LAYOUT_BYTES[layout].sizeT === 8;
  for (let row = 0; row < size; row++) {
    const at = (LAYOUT_BYTES[layout].header + row * header.bytesPerElement) / 4;
    const first = words[at] ?? 0;
    const mark = first >>> 16;
    if (mark > DELETE_MARK) throw corrupt(`element ${row} has the mark ${mark}, which is none of hnswlib's`, { row });
    if (mark === DELETE_MARK) deleted.push(row);
    copyList({ words, at, count: first & 0xffff, countMax: maxM0, size, row, level: 0 }, links0, row * (1 + maxM0));
    const vectorAt = at + header.vectorOffset / 4;
    vectors.set(components.subarray(vectorAt, vectorAt + dimension), row * dimension);
    const labelAt = at + header.labelOffset / 4;
    labels.set(row, words[labelAt] ?? 0, isWide ? (words[labelAt + 1] ?? 0) : 0);
  }
  return { links0, vectors, labels: labels.values, deleted: Uint32Array.from(deleted) };
}

function readUpper(
  words: Uint32Array,
  upperAt: number,
  header: HnswlibHeader,
  levels: Uint8Array,
): Uint32Array<ArrayBuffer> {
  const { size, M } = header;
  let lists = 0;
  for (const level of levels) lists += level;
  const upper = new Uint32Array(lists * (1 + M));
  let at = upperAt;
  let to = 0;
  for (let row = 0; row < size; row++) {
    const levelsOfRow = levels[row] ?? 0;
    at++;
    for (let level = 1; level <= levelsOfRow; level++) {
      const count = words[at] ?? 0;
      copyList({ words, at, count, countMax: M, size, row, level }, upper, to);
      for (let slot = to + 1; slot <= to + count; slot++) {
        const link = upper[slot] ?? 0;
        if ((levels[link] ?? 0) >= level) continue;
        throw corrupt(`element ${row} links on level ${level} to element ${link}, whose level is ${levels[link]}`, {
          row,
          level,
          link,
        });
      }
      at += 1 + M;
      to += 1 + M;
    }
  }
  return upper;
}

interface List {
  readonly words: Uint32Array;
  /** The word that the list begins with. */
  readonly at: number;
  readonly count: number;
  readonly countMax: number;
  /** Elements of the file. */
  readonly size: number;
  readonly row: number;
  readonly level: number;
}

/** Copies a list once it is known to hold. What hnswlib left behind after the count stays behind. */
function copyList(list: List, to: Uint32Array, start: number): void {
  const { words, at, count, size, row, level } = list;
  if (count > list.countMax) {
    throw corrupt(`element ${row} has ${count} links on level ${level}, but at most ${list.countMax} fit`, {
      row,
      level,
    });
  }
  to[start] = count;
  for (let slot = 1; slot <= count; slot++) {
    const link = words[at + slot] ?? 0;
    if (link >= size) {
      throw corrupt(`element ${row} links on level ${level} to element ${link} of ${size}`, { row, level, link });
    }
    to[start + slot] = link;
  }
}

/** Labels as numbers, until one comes that a number cannot hold. */
class Labels {
  readonly #size: number;
  #numbers: Float64Array<ArrayBuffer>;
  #large: BigUint64Array<ArrayBuffer> | undefined;

  constructor(size: number) {
    this.#size = size;
    this.#numbers = new Float64Array(size);
  }

  get values(): Float64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer> {
    return this.#large ?? this.#numbers;
  }

  set(row: number, low: number, high: number): void {
    if (this.#large === undefined && high >= 2 ** 21) {
      this.#large = new BigUint64Array(this.#size);
      for (let earlier = 0; earlier < row; earlier++) this.#large[earlier] = BigInt(this.#numbers[earlier] ?? 0);
      this.#numbers = new Float64Array(0);
    }
    if (this.#large === undefined) this.#numbers[row] = high * 2 ** 32 + low;
    else this.#large[row] = (BigInt(high) << 32n) | BigInt(low);
  }
}

/**
 * A label names the last element that has it, in hnswlib's own map too: earlier ones must be deleted. hnswlib writes no
 * label twice; an index that keeps the rows of replaced vectors does.
 */
function checkLabels({ labels, deleted }: Pick<HnswGraph, 'labels' | 'deleted'>): void {
  if (isAscending(labels) || isAscending(labels.slice().sort())) return;
  const last = new Map<number | bigint, number>();
  labels.forEach((label: number | bigint, row: number) => {
    last.set(label, row);
  });
  const gone = new Set(deleted);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number | bigint;
    if (last.get(label) === row || gone.has(row)) continue;
    throw corrupt(`elements ${row} and ${last.get(label)} both have the label ${label}`, { row });
  }
}

function isAscending(labels: Float64Array | BigUint64Array): boolean {
  for (let row = 1; row < labels.length; row++) {
    if ((labels[row] ?? 0) <= (labels[row - 1] ?? 0)) return false;
  }
  return true;
}

function corrupt(fault: string, details: ErrorDetails = {}): ElanusError {
  return new ElanusError('corrupt', `The hnswlib index is damaged: ${fault}.`, { details });
}
