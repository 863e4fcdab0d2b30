import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ElanusError } from '../base/error.ts';
import type { IndexSection, IndexSpec, SavedIndex } from './segment-index.ts';

/**
 * A saved index in one relocatable blob: INDEX_FORMAT.md describes it byte by byte. Pure: bytes in, bytes out.
 *
 * Every byte is covered by a checksum, padding included, so that each flipped bit is found, and found before anything
 * is made of the bytes. Large parts are never parsed: a section is copied to where it is used.
 */

const MAGIC = 0x58564c45; // "ELVX"
/** Raised by every change that an older reader would misread. */
export const INDEX_FORMAT_VERSION: number = 1;
const HEADER_BYTES = 32;
const ALIGNMENT = 64;
/** Spec, state and directory: what is larger is not ours. */
const DIRECTORY_BYTES_MAX = 1024 * 1024;

/** A CRC-32C as `crc32c` computes it: hosts have a faster one. */
export type Checksum = (bytes: Uint8Array) => number;

/** A part of a blob that was read: it lies in one piece. */
export interface LoadedSection extends IndexSection {
  /** A view of the blob, at a multiple of 64 bytes from its beginning. */
  readonly bytes: Uint8Array;
}

/** What a blob holds. Its checksums are right; whether spec and state make sense is for who makes an index of them. */
export interface LoadedIndex extends SavedIndex {
  readonly sections: readonly LoadedSection[];
}

interface DirectoryEntry {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

interface Directory {
  readonly spec: IndexSpec;
  readonly state: SavedIndex['state'];
  readonly sections: readonly DirectoryEntry[];
}

/** The blob of an index. Sections keep their order; no two have the same name. */
export function encodeIndexFile(saved: SavedIndex, checksum: Checksum = crc32c): Uint8Array<ArrayBuffer> {
  const { spec, state } = saved;
  // Checksums are written as text of one width, so that the directory has its length before they are known.
  const draft = directoryText(
    spec,
    state,
    saved.sections.map(({ name, byteLength }) => ({ name, offset: 0, length: byteLength, crc: 0 })),
  );
  const offsets: number[] = [];
  // Offsets are longer than the zeros of the draft: each has at most 16 digits.
  let end = aligned(HEADER_BYTES + encodeUtf8(draft).byteLength + 16 * saved.sections.length);
  const sectionsAt = end;
  for (const { byteLength } of saved.sections) {
    offsets.push(end);
    end = aligned(end + byteLength);
  }
  const bytes = new Uint8Array(end);
  const entries = saved.sections.map((section, at): DirectoryEntry => {
    const offset = offsets[at] as number;
    const length = section.byteLength;
    section.copyTo(bytes.subarray(offset, offset + length));
    const crc = checksum(bytes.subarray(offset, aligned(offset + length)));
    return { name: section.name, offset, length, crc };
  });
  const directory = encodeUtf8(directoryText(spec, state, entries));
  bytes.set(directory, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, INDEX_FORMAT_VERSION, true);
  view.setUint32(8, directory.byteLength, true);
  view.setUint32(12, sectionsAt, true);
  view.setUint32(16, end % 2 ** 32, true);
  view.setUint32(20, Math.floor(end / 2 ** 32), true);
  view.setUint32(24, crc32c(bytes.subarray(HEADER_BYTES, sectionsAt)), true);
  view.setUint32(28, crc32c(bytes.subarray(0, 28)), true);
  return bytes;
}

function directoryText(spec: IndexSpec, state: SavedIndex['state'], entries: readonly DirectoryEntry[]): string {
  const sections = entries.map(({ name, offset, length, crc }) => {
    return { name, offset, length, crc: crc.toString(16).padStart(8, '0') };
  });
  return JSON.stringify({ spec, state, sections });
}

/**
 * Opens a blob, which must be whole: `bytes` end where it does. Sections are views of `bytes`, and are checked here, so
 * that what is loaded from them needs no check of its own.
 *
 * Throws `invalid` for bytes that are no such blob, `unsupported` for one of a newer format, `corrupt` for a damaged
 * one, naming the section.
 */
export function decodeIndexFile(bytes: Uint8Array, checksum: Checksum = crc32c): LoadedIndex {
  const { directoryEnd, sectionsAt } = decodeHeader(bytes);
  const directory = decodeDirectory(bytes.subarray(HEADER_BYTES, directoryEnd));
  let end = sectionsAt;
  const sections = directory.sections.map(({ name, offset, length, crc }): LoadedSection => {
    if (offset !== end || length > bytes.byteLength - offset) throw corrupt(`section ${name} does not lie in it`);
    end = aligned(offset + length);
    if (end > bytes.byteLength) throw corrupt(`section ${name} does not lie in it`);
    if (checksum(bytes.subarray(offset, end)) !== crc) {
      throw corrupt(`the checksum of its section ${name} is wrong`, name);
    }
    // Not `subarray`: of a Node Buffer that is another one, whose `slice` is no copy.
    const section = new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
    return { name, byteLength: length, bytes: section, copyTo: (target) => target.set(section) };
  });
  if (end !== bytes.byteLength) throw corrupt('it does not end where its last section does');
  return { spec: directory.spec, state: directory.state, sections };
}

function decodeHeader(bytes: Uint8Array): { directoryEnd: number; sectionsAt: number } {
  if (bytes.byteLength < HEADER_BYTES) throw notOurs(bytes.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isIntact = view.getUint32(28, true) === crc32c(bytes.subarray(0, 28));
  if (view.getUint32(0, true) !== MAGIC) {
    // The checksum tells a damaged first byte from another kind of file.
    throw view.getUint16(4, true) === INDEX_FORMAT_VERSION && view.getUint16(6, true) === 0 && !isIntact
      ? corrupt('it does not begin as a saved index does')
      : notOurs(bytes.byteLength);
  }
  if (!isIntact) throw corrupt('the checksum of its header is wrong', 'header');
  const version = view.getUint16(4, true);
  if (version !== INDEX_FORMAT_VERSION) {
    throw new ElanusError(
      'unsupported',
      `The saved index has format ${version}, and this Elanus reads format ${INDEX_FORMAT_VERSION}. Take a newer one.`,
      { details: { version } },
    );
  }
  const size = view.getUint32(16, true) + view.getUint32(20, true) * 2 ** 32;
  if (size !== bytes.byteLength) {
    const what = size > bytes.byteLength ? 'it is cut off' : 'something follows its end';
    throw corrupt(`${what}: it has ${size} bytes, and ${bytes.byteLength} were given`);
  }
  const directoryEnd = HEADER_BYTES + view.getUint32(8, true);
  const sectionsAt = view.getUint32(12, true);
  if (directoryEnd > sectionsAt || sectionsAt > size || directoryEnd > DIRECTORY_BYTES_MAX) {
    throw corrupt('its directory does not lie in it', 'directory');
  }
  if (view.getUint32(24, true) !== crc32c(bytes.subarray(HEADER_BYTES, sectionsAt))) {
    throw corrupt('the checksum of its directory is wrong', 'directory');
  }
  return { directoryEnd, sectionsAt };
}

/** Checked, since a checksum says that bytes are as they were written, and not who wrote them. */
function decodeDirectory(bytes: Uint8Array): Directory {
  let value: { spec?: unknown; state?: unknown; sections?: unknown };
  try {
    value = JSON.parse(decodeUtf8(bytes)) as typeof value;
  } catch (error) {
    throw corrupt('its directory is not JSON', 'directory', error);
  }
  const { spec, state, sections } = value ?? {};
  if (!isObject(spec) || !isObject(state) || !Array.isArray(sections)) {
    throw corrupt('its directory lacks spec, state or sections', 'directory');
  }
  const entries = sections.map((section: unknown) => {
    const { name, offset, length, crc } = (section ?? {}) as Record<string, unknown>;
    if (typeof name !== 'string' || !isCount(offset) || !isCount(length) || typeof crc !== 'string') {
      throw corrupt('an entry of its directory is incomplete', 'directory');
    }
    return { name, offset, length, crc: Number.parseInt(crc, 16) };
  });
  if (new Set(entries.map(({ name }) => name)).size !== entries.length) {
    throw corrupt('two of its sections have one name', 'directory');
  }
  for (const value of Object.values(state)) {
    const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!numbers.every(Number.isFinite)) throw corrupt('its state holds what is no number', 'directory');
  }
  return { spec: spec as unknown as IndexSpec, state: state as SavedIndex['state'], sections: entries };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

function notOurs(byteLength: number): ElanusError {
  return new ElanusError(
    'invalid',
    `These ${byteLength} bytes are not a saved index: pass what \`save\` returned. A file of hnswlib is opened by ` +
      '`fromHnswlib`.',
  );
}

function corrupt(what: string, section?: string, cause?: unknown): ElanusError {
  return new ElanusError('corrupt', `The saved index is damaged: ${what}. Restore it from a copy, or build it again.`, {
    ...(section === undefined ? {} : { details: { section } }),
    ...(cause === undefined ? {} : { cause }),
  });
}
