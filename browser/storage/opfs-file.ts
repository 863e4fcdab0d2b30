import { ByteReader, concatBytes } from '../../core/base/bytes.ts';
import { crc32c } from '../../core/base/crc32c.ts';
import { clipRange } from '../../core/storage/check.ts';
import { decodeDocument, encodeDocument } from '../../core/storage/document.ts';
import type { ByteRange, StoredObject, Version } from '../../core/storage/object-store.ts';

/**
 * A file of the read cache: the length of the header (u32), the header (a document), and the object's bytes. The header
 * has a checksum for each block of the bytes, so that a range is checked without reading the whole file.
 */
export interface FileHeader {
  readonly key: string;
  readonly size: number;
  readonly version: Version;
  /** CRC32C of each block of `BLOCK_BYTES`. */
  readonly checksums: readonly number[];
}

const KIND = 'OPFC';
const FORMAT = 1;
const BLOCK_BYTES = 64 * 1024;
/** Enough for the header of the largest object. */
const HEADER_BYTES_MAX = 64 * 1024;

/** What goes before the object's bytes. */
export function encodeHeader({ key, size, version, bytes }: StoredObject): Uint8Array<ArrayBuffer> {
  const checksums: number[] = [];
  for (let start = 0; start < size; start += BLOCK_BYTES) {
    checksums.push(crc32c(bytes.subarray(start, start + BLOCK_BYTES)));
  }
  const header = encodeDocument(KIND, FORMAT, { key, size, version, checksums } satisfies FileHeader);
  return concatBytes([Uint8Array.from([0, 8, 16, 24], (shift) => header.byteLength >>> shift), header]);
}

/** An open file and its header, both checked as far as they have been read. */
export class OpfsFile {
  readonly #file: File;
  readonly #header: FileHeader;
  readonly #contentStart: number;

  private constructor(file: File, header: FileHeader, contentStart: number) {
    this.#file = file;
    this.#header = header;
    this.#contentStart = contentStart;
  }

  /** Reads the header; throws on a file that is damaged, incomplete, or of another object. */
  static async open(file: File, key: string): Promise<OpfsFile> {
    const begin = new Uint8Array(await file.slice(0, 4 + HEADER_BYTES_MAX).arrayBuffer());
    const reader = new ByteReader(begin, key);
    const header = decodeDocument(KIND, FORMAT, reader.raw(reader.u32()), key) as FileHeader;
    if (header.key !== key || file.size !== reader.offset + header.size) throw new Error('another object, or cut off');
    return new OpfsFile(file, header, reader.offset);
  }

  /**
   * The object or a range of it; `undefined` if a block is not what was written. Throws `invalid` on a range beyond the
   * end, and what the browser throws when the file is gone or has changed.
   */
  async read(range: ByteRange | undefined): Promise<StoredObject | undefined> {
    const { key, size, version, checksums } = this.#header;
    const { start, end } = clipRange(key, range, size);
    const from = start - (start % BLOCK_BYTES);
    const to = Math.min(size, Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES);
    const part = this.#file.slice(this.#contentStart + from, this.#contentStart + to);
    const blocks = new Uint8Array(await part.arrayBuffer());
    if (blocks.byteLength !== to - from) return undefined;
    for (let offset = 0; offset < blocks.byteLength; offset += BLOCK_BYTES) {
      const checksum = crc32c(blocks.subarray(offset, offset + BLOCK_BYTES));
      if (checksum !== checksums[(from + offset) / BLOCK_BYTES]) return undefined;
    }
    const isWhole = from === start && to === end;
    return { key, size, version, bytes: isWhole ? blocks : blocks.slice(start - from, end - from) };
  }
}
