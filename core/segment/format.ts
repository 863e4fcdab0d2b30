import { equalBytes } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ElanusError } from '../base/error.ts';

/**
 * A file of sections, each found by one look at the directory and checked by itself: FORMAT.md describes it byte by
 * byte. Pure: bytes in, bytes out.
 */

const MAGIC = 0x47534c45; // "ELSG"
const MAGIC_END = 0x53474c45; // "ELGS"
export const SEGMENT_FORMAT_VERSION: number = 1;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 32;
const TRAILER_BYTES = 16;
const ALIGNMENT = 16;

/** What a section holds. */
export const SECTION_COLUMN = 1;
export const SECTION_VECTORS = 2;
/** When rows were inserted: the low words of all timestamps, then the high words. */
export const SECTION_TIMESTAMPS = 3;
/** Keys whose rows end. */
export const SECTION_KEYS = 4;

export interface Section {
  readonly kind: number;
  readonly fieldId: number;
  /** Of a column: its type and element type as codes, and whether validity bytes come first. */
  readonly type: number;
  readonly elementType: number;
  readonly hasValid: boolean;
  /** Of vectors. */
  readonly dimension: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** A section as the directory tells of it. */
export interface SectionEntry extends Omit<Section, 'bytes'> {
  readonly offset: number;
  /** Of its content, without padding. */
  readonly length: number;
  /** Where its padding ends: the checksum covers all up to here. */
  readonly end: number;
  readonly crc: number;
}

export interface EncodedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly directoryAt: number;
}

export function encodeFile(sections: readonly Section[]): EncodedFile {
  let size = HEADER_BYTES;
  const offsets = sections.map((section) => {
    const offset = size;
    size = aligned(size + section.bytes.byteLength);
    return offset;
  });
  const directoryAt = size;
  const bytes = new Uint8Array(directoryAt + sections.length * ENTRY_BYTES + TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(headerOf(SEGMENT_FORMAT_VERSION));
  for (const [at, section] of sections.entries()) {
    const offset = offsets[at] ?? 0;
    const end = offsets[at + 1] ?? directoryAt;
    bytes.set(section.bytes, offset);
    const entry = directoryAt + at * ENTRY_BYTES;
    view.setUint8(entry, section.kind);
    view.setUint8(entry + 1, section.type);
    view.setUint8(entry + 2, section.elementType);
    view.setUint8(entry + 3, section.hasValid ? 1 : 0);
    view.setUint32(entry + 4, section.fieldId, true);
    view.setUint32(entry + 8, section.dimension, true);
    view.setUint32(entry + 12, section.rows, true);
    view.setUint32(entry + 16, offset, true);
    view.setUint32(entry + 20, section.bytes.byteLength, true);
    view.setUint32(entry + 24, end, true);
    view.setUint32(entry + 28, crc32c(bytes.subarray(offset, end)), true);
  }
  const trailer = bytes.byteLength - TRAILER_BYTES;
  view.setUint32(trailer, directoryAt, true);
  view.setUint16(trailer + 4, sections.length, true);
  view.setUint16(trailer + 6, SEGMENT_FORMAT_VERSION, true);
  view.setUint32(trailer + 12, MAGIC_END, true);
  view.setUint32(trailer + 8, headCrc(SEGMENT_FORMAT_VERSION, bytes.subarray(directoryAt)), true);
  return { bytes, directoryAt };
}

/** The header of a file: all files of a version begin with the same bytes. */
function headerOf(version: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, version, true);
  return header;
}

/** The checksum of header, directory and trailer, the checksum itself left out. `tail` is directory and trailer. */
function headCrc(version: number, tail: Uint8Array): number {
  const at = tail.byteLength - TRAILER_BYTES + 8;
  return crc32c(tail.subarray(at + 4), crc32c(tail.subarray(0, at), crc32c(headerOf(version))));
}

/**
 * Reads the directory from the bytes between `directoryAt` and the end of the file. The header is not needed: all files
 * of a version begin alike, and the checksum covers it as it must be.
 *
 * Throws `corrupt` for damaged bytes, and `unsupported` for a file that a newer Elanus wrote.
 */
export function decodeDirectory(tail: Uint8Array, directoryAt: number, key: string): SectionEntry[] {
  const trailer = tail.byteLength - TRAILER_BYTES;
  if (trailer < 0) throw corrupt(key, 'it is cut off');
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  if (view.getUint32(trailer + 12, true) !== MAGIC_END) throw corrupt(key, 'it does not end as a segment file does');
  const version = view.getUint16(trailer + 6, true);
  if (view.getUint32(trailer + 8, true) !== headCrc(version, tail)) {
    throw corrupt(key, 'the checksum of its directory is wrong');
  }
  if (version !== SEGMENT_FORMAT_VERSION) throw newer(key, version);
  const count = view.getUint16(trailer + 4, true);
  if (view.getUint32(trailer, true) !== directoryAt || count * ENTRY_BYTES !== trailer) {
    throw corrupt(key, 'its directory is not where it should be');
  }
  return Array.from({ length: count }, (_, at) => {
    const entry = decodeEntry(view, at * ENTRY_BYTES);
    const { offset, length, end } = entry;
    if (offset < HEADER_BYTES || offset > end || end > directoryAt || length > end - offset) {
      throw corrupt(key, `section ${entry.fieldId} does not lie in it`);
    }
    return entry;
  });
}

function decodeEntry(view: DataView, entry: number): SectionEntry {
  return {
    kind: view.getUint8(entry),
    type: view.getUint8(entry + 1),
    elementType: view.getUint8(entry + 2),
    hasValid: view.getUint8(entry + 3) === 1,
    fieldId: view.getUint32(entry + 4, true),
    dimension: view.getUint32(entry + 8, true),
    rows: view.getUint32(entry + 12, true),
    offset: view.getUint32(entry + 16, true),
    length: view.getUint32(entry + 20, true),
    end: view.getUint32(entry + 24, true),
    crc: view.getUint32(entry + 28, true),
  };
}

/** Computes CRC-32C. */
export type Checksum = (bytes: Uint8Array) => number;

/** Checks a section that was read from `entry.offset` to `entry.end`, and gives its content. */
export function checkSection(
  bytes: Uint8Array,
  entry: SectionEntry,
  key: string,
  checksum: Checksum = crc32c,
): Uint8Array {
  if (bytes.byteLength !== entry.end - entry.offset) throw corrupt(key, `section ${entry.fieldId} is cut off`);
  if (checksum(bytes) !== entry.crc) throw corrupt(key, `the checksum of section ${entry.fieldId} is wrong`);
  return bytes.subarray(0, entry.length);
}

/** Checks a whole file, header included, and gives its sections. */
export function decodeFile(bytes: Uint8Array, key: string, checksum?: Checksum): (Section & SectionEntry)[] {
  if (bytes.byteLength < HEADER_BYTES + TRAILER_BYTES) throw corrupt(key, 'it is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directoryAt = view.getUint32(bytes.byteLength - TRAILER_BYTES, true);
  if (directoryAt > bytes.byteLength) throw corrupt(key, 'its directory is not where it should be');
  const entries = decodeDirectory(bytes.subarray(directoryAt), directoryAt, key);
  if (!equalBytes(bytes.subarray(0, HEADER_BYTES), headerOf(SEGMENT_FORMAT_VERSION))) {
    throw corrupt(key, 'it does not begin as a segment file does');
  }
  return entries.map((entry) => ({
    ...entry,
    bytes: checkSection(bytes.subarray(entry.offset, entry.end), entry, key, checksum),
  }));
}

function aligned(offset: number): number {
  return (offset + ALIGNMENT - 1) & -ALIGNMENT;
}

export function corrupt(key: string, what: string, cause?: unknown): ElanusError {
  return new ElanusError('corrupt', `The object ${key} is damaged: ${what}. Restore it from a copy.`, {
    details: { key },
    ...(cause === undefined ? {} : { cause }),
  });
}

function newer(key: string, version: number): ElanusError {
  const message = `The object ${key} has format ${version}; this Elanus reads up to ${SEGMENT_FORMAT_VERSION}. Use a newer one.`;
  return new ElanusError('unsupported', message, { details: { key, version } });
}
