import { HNSWLIB_M_MAX, headerFaults, LAYOUT_BYTES, readHnswlibHeader } from './hnswlib-header.ts';

/**
 * Chroma keeps an index of its fork of hnswlib in a directory of four files, each a part of what hnswlib writes as one:
 * `header.bin` (a version, then hnswlib's header), `data_level0.bin` (the elements, as many as there is room for),
 * `length.bin` (a float for each) and `link_lists.bin` (the upper levels). None of them can be opened alone. They are
 * told apart here so that a user who picks one of them learns what it is.
 */
export type ChromaFile = 'header.bin' | 'data_level0.bin' | 'length.bin' | 'link_lists.bin';

/** The version that `header.bin` begins with. */
const PERSISTENCE_VERSION_BYTES = 4;

/** Elements that are looked at to recognise a file by what its lists hold. */
const SAMPLE = 16;

/**
 * Which of Chroma's four files these bytes look like, if any. Only `header.bin` says so itself; the others are
 * recognised by their shape, for vectors of `dimension` float32 values where that matters.
 */
export function recogniseChromaFile(bytes: Uint8Array, dimension: number | undefined): ChromaFile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isHeader(view)) return 'header.bin';
  if (bytes.byteLength === 0 || bytes.byteLength % 4 !== 0) return undefined;
  if (dimension !== undefined && isDataLevel0(view, dimension)) return 'data_level0.bin';
  if (isLinkLists(view)) return 'link_lists.bin';
  return undefined;
}

function isHeader(view: DataView): boolean {
  if (view.byteLength !== PERSISTENCE_VERSION_BYTES + LAYOUT_BYTES['64'].header) return false;
  const header = readHnswlibHeader(view, '64', PERSISTENCE_VERSION_BYTES);
  return header !== undefined && headerFaults(header, '64').length === 0;
}

/** Elements of one size fill the file, and in the first of them no list is too long or points outside. */
function isDataLevel0(view: DataView, dimension: number): boolean {
  for (let M = 2; M <= 512; M++) {
    const stride = 4 + 8 * M + 4 * dimension + 8;
    const size = view.byteLength / stride;
    if (size < 2) return false;
    if (Number.isInteger(size) && listsHold(view, { stride, size, countMax: 2 * M })) return true;
  }
  return false;
}

function listsHold(view: DataView, of: { stride: number; size: number; countMax: number }): boolean {
  let links = 0;
  for (let row = 0; row < Math.min(of.size, SAMPLE); row++) {
    const at = row * of.stride;
    const count = view.getUint16(at, true);
    if (count > of.countMax || view.getUint16(at + 2, true) > 1) return false;
    for (let slot = 1; slot <= count; slot++) if (view.getUint32(at + 4 * slot, true) >= of.size) return false;
    links += count;
  }
  return links > 0;
}

/** Lengths, each followed by as many bytes, use up the file; all are multiples of the shortest, and one is not 0. */
function isLinkLists(view: DataView): boolean {
  const lengths: number[] = [];
  let at = 0;
  while (at + 4 <= view.byteLength) {
    const length = view.getUint32(at, true);
    if (length > 0) lengths.push(length);
    at += 4 + length;
  }
  const shortest = lengths.reduce((least, length) => Math.min(least, length), Number.POSITIVE_INFINITY);
  return (
    at === view.byteLength &&
    shortest >= 12 &&
    shortest <= 4 * (HNSWLIB_M_MAX + 1) &&
    lengths.every((length) => length % 4 === 0 && length % shortest === 0)
  );
}
