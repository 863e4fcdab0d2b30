/**
 * The header of hnswlib's single index file (`HierarchicalNSW::saveIndex` in hnswalg.h, hnswlib 0.5 to 0.8). It has no
 * magic number, no version and no checksum: its fields are written one after the other as the machine holds them,
 * little-endian. A `size_t` has 8 bytes on a 64-bit machine and 4 in 32-bit WebAssembly, hence two layouts:
 *
 * | field | `'64'`, at byte | `'32'`, at byte |
 * |---|---|---|
 * | `offsetLevel0_`, `max_elements_`, `cur_element_count` (`size_t`) | 0, 8, 16 | 0, 4, 8 |
 * | `size_data_per_element_`, `label_offset_`, `offsetData_` (`size_t`) | 24, 32, 40 | 12, 16, 20 |
 * | `maxlevel_` (`int`), `enterpoint_node_` (`unsigned int`) | 48, 52 | 24, 28 |
 * | `maxM_`, `maxM0_`, `M_` (`size_t`) | 56, 64, 72 | 32, 36, 40 |
 * | `mult_` (`double`) | 80 | 44 |
 * | `ef_construction_` (`size_t`) | 88 | 52 |
 * | the first element | 96 | 56 |
 *
 * Then come `cur_element_count` elements of `size_data_per_element_` bytes: a list of neighbours on level 0 (4 bytes of
 * count and mark, then `maxM0_` rows of 4), the vector at `offsetData_`, the label (`size_t`) at `label_offset_`. Then,
 * for each element, the number of bytes of its upper lists (u32) and those lists, from level 1 upward: 4 bytes of count
 * and `maxM_` rows of 4. A deleted element has bit 16 set in the first 4 bytes of its list on level 0.
 *
 * Which layout a file has is told by what the fields say of each other: no header holds in both.
 */

/** `'64'`: hnswlib in C++, Python, Node. `'32'`: hnswlib-wasm. */
export type HnswlibLayout = '64' | '32';

export const HNSWLIB_LAYOUTS: readonly HnswlibLayout[] = ['64', '32'];

/** Bytes of the header, of a `size_t`, and so of a label. */
export const LAYOUT_BYTES: Readonly<Record<HnswlibLayout, { readonly header: number; readonly sizeT: number }>> = {
  '64': { header: 96, sizeT: 8 },
  '32': { header: 56, sizeT: 4 },
};

/** hnswlib counts the neighbours of a list in 16 bits. */
export const LIST_COUNT_MAX = 0xffff;

/** What hnswlib caps M to. */
export const HNSWLIB_M_MAX = 10_000;

/** An element's level is drawn from a logarithm of 53 bits: even with M = 2 it stays below 54. */
export const HNSWLIB_LEVEL_MAX = 255;

/** The entry of an empty index: hnswlib's -1 in an `unsigned int`. */
const NO_ENTRY = 0xffff_ffff;

/** The fields that say something: `offsetLevel0_` is always 0. Sizes and offsets are in bytes. */
export interface HnswlibHeader {
  readonly offsetLevel0: number;
  /** Elements that hnswlib makes room for when it loads the file. */
  readonly maxElements: number;
  readonly size: number;
  readonly bytesPerElement: number;
  readonly labelOffset: number;
  readonly vectorOffset: number;
  /** -1 if there are no elements, like `entry`. */
  readonly maxLevel: number;
  readonly entry: number;
  readonly maxM: number;
  readonly maxM0: number;
  readonly M: number;
  /** 1 / ln(M): the scale of the levels. */
  readonly mult: number;
  readonly efConstruction: number;
}

/** Reads the fields from `at` on, whatever they say; undefined if there are not enough bytes. */
export function readHnswlibHeader(view: DataView, layout: HnswlibLayout, at: number = 0): HnswlibHeader | undefined {
  const { header, sizeT } = LAYOUT_BYTES[layout];
  if (view.byteLength < at + header) return undefined;
  let offset = at;
  const take = (bytes: number): number => {
    offset += bytes;
    return offset - bytes;
  };
  // Beyond 2^53 the value is rounded; every such value is refused by `headerFaults`.
  const size = (): number => {
    const from = take(sizeT);
    return view.getUint32(from, true) + (sizeT === 8 ? view.getUint32(from + 4, true) * 2 ** 32 : 0);
  };
  const offsetLevel0 = size();
  const maxElements = size();
  const count = size();
  const bytesPerElement = size();
  const labelOffset = size();
  const vectorOffset = size();
  const maxLevel = view.getInt32(take(4), true);
  const entry = view.getUint32(take(4), true);
  const maxM = size();
  const maxM0 = size();
  const M = size();
  const mult = view.getFloat64(take(8), true);
  const efConstruction = size();
  return {
    offsetLevel0,
    maxElements,
    size: count,
    bytesPerElement,
    labelOffset,
    vectorOffset,
    maxLevel,
    entry: entry === NO_ENTRY ? -1 : entry,
    maxM,
    maxM0,
    M,
    mult,
    efConstruction,
  };
}

/** Writes the fields from byte 0 of `view` on. */
export function writeHnswlibHeader(view: DataView, layout: HnswlibLayout, header: HnswlibHeader): void {
  const { sizeT } = LAYOUT_BYTES[layout];
  let offset = 0;
  const size = (value: number): void => {
    view.setUint32(offset, value % 2 ** 32, true);
    if (sizeT === 8) view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
    offset += sizeT;
  };
  size(header.offsetLevel0);
  size(header.maxElements);
  size(header.size);
  size(header.bytesPerElement);
  size(header.labelOffset);
  size(header.vectorOffset);
  view.setInt32(offset, header.maxLevel, true);
  view.setUint32(offset + 4, header.entry, true);
  offset += 8;
  size(header.maxM);
  size(header.maxM0);
  size(header.M);
  view.setFloat64(offset, header.mult, true);
  offset += 8;
  size(header.efConstruction);
}

/** How many things `headerFaults` looks at. */
export const HEADER_CHECKS = 11;

/**
 * What contradicts itself in a header, each said in a sentence; nothing if it holds. `fileBytes` is the length of the
 * file that it stands in, if that is to be checked.
 */
export function headerFaults(header: HnswlibHeader, layout: HnswlibLayout, fileBytes?: number): string[] {
  const { M, maxM, maxM0, size, entry, maxLevel, vectorOffset, labelOffset, bytesPerElement } = header;
  const { header: headerBytes, sizeT } = LAYOUT_BYTES[layout];
  const needed = headerBytes + size * (bytesPerElement + 4);
  const faults: string[] = [];
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  check(header.offsetLevel0 === 0, `offsetLevel0_ is ${header.offsetLevel0}, not 0`);
  check(M >= 2 && M <= HNSWLIB_M_MAX, `M_ is ${M}, outside 2 to ${HNSWLIB_M_MAX}`);
  check(maxM === M, `maxM_ is ${maxM}, but M_ is ${M}`);
  check(Math.abs(header.mult * Math.log(M) - 1) < 1e-9, `mult_ is ${header.mult}, not 1 / ln(M_) of M_ ${M}`);
  check(maxM0 >= 1 && maxM0 <= LIST_COUNT_MAX, `maxM0_ is ${maxM0}, outside 1 to ${LIST_COUNT_MAX}`);
  check(vectorOffset === 4 + 4 * maxM0, `offsetData_ is ${vectorOffset}, but maxM0_ is ${maxM0}`);
  check(
    labelOffset > vectorOffset && (labelOffset - vectorOffset) % 4 === 0,
    `label_offset_ is ${labelOffset}, but offsetData_ is ${vectorOffset}`,
  );
  check(
    bytesPerElement === labelOffset + sizeT,
    `size_data_per_element_ is ${bytesPerElement}, but label_offset_ is ${labelOffset}`,
  );
  check(
    header.maxElements >= size && size < NO_ENTRY && Number.isSafeInteger(header.maxElements),
    `cur_element_count is ${size}, but max_elements_ is ${header.maxElements}`,
  );
  check(
    size === 0 ? entry === -1 && maxLevel === -1 : entry >= 0 && entry < size && isLevel(maxLevel),
    `enterpoint_node_ is ${entry} and maxlevel_ ${maxLevel}, but cur_element_count is ${size}`,
  );
  check(
    header.efConstruction >= M && header.efConstruction < 2 ** 31,
    `ef_construction_ is ${header.efConstruction}, but M_ is ${M}`,
  );
  if (fileBytes !== undefined && needed > fileBytes) {
    faults.push(`its ${size} elements need ${needed} bytes or more, but the file has ${fileBytes}: it is cut off`);
  }
  return faults;
}

function isLevel(level: number): boolean {
  return level >= 0 && level <= HNSWLIB_LEVEL_MAX;
}
