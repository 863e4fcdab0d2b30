import { codeOf, ElanusError } from '../base/error.ts';
import { columnTypes, decodeColumn } from '../column/codec.ts';
import { concatColumns } from '../column/gather.ts';
import type { Column } from '../model/column.ts';
import type { CollectionMeta } from '../model/schema.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import {
  type Checksum,
  checkSection,
  corrupt,
  decodeDirectory,
  decodeFile,
  SECTION_COLUMN,
  SECTION_VECTORS,
  type Section,
  type SectionEntry,
} from './format.ts';
import { type SegmentFile, type SegmentInfo, segmentPrefix } from './segment-info.ts';

/** Smaller files are read whole: one request more would cost more than these bytes. */
const WHOLE_FILE_BYTES = 256 * 1024;

/** A checked section, and whether its bytes are a part of a larger buffer. */
interface ReadSection {
  readonly section: Section;
  readonly isPart: boolean;
}

/**
 * Reads the fields of one segment with few requests: a vectors file and a small file by one, a section of a larger one
 * by two, the first of which, for the directory, is made once. Everything is checked before it is used.
 */
export class SegmentReader {
  readonly #objects: ObjectStore;
  readonly #prefix: string;
  readonly #info: SegmentInfo;
  readonly #checksum: Checksum | undefined;
  readonly #directories = new Map<string, Promise<readonly SectionEntry[]>>();
  /** Reads of whole files under way: fields that are asked for together share them. */
  readonly #wholes = new Map<string, Promise<readonly Section[]>>();

  constructor(objects: ObjectStore, meta: CollectionMeta, info: SegmentInfo, checksum?: Checksum) {
    this.#objects = objects;
    this.#prefix = segmentPrefix(meta.id, info);
    this.#info = info;
    this.#checksum = checksum;
  }

  /** A scalar field, all rows of the segment. */
  async column(fieldId: number): Promise<Column> {
    const parts = await Promise.all(
      this.#files(fieldId).map(async (file) => {
        const key = this.#prefix + file.name;
        const { section, isPart } = await this.#section(file, SECTION_COLUMN, fieldId);
        const types = columnTypes(section.type, section.elementType, key);
        const shape = { ...types, length: section.rows, hasValid: section.hasValid, source: `The object ${key}` };
        return { column: decodeColumn(section.bytes, shape), isPart };
      }),
    );
    const [first] = parts;
    // A view of a part would keep the whole file in memory.
    if (first !== undefined && parts.length === 1 && !first.isPart) return first.column;
    return concatColumns(parts.map(({ column }) => column));
  }

  /** A vector field, file after file: little-endian float32 rows, as the kernel takes them. */
  async *vectors(fieldId: number, dimension: number): AsyncGenerator<Uint8Array> {
    for (const file of this.#files(fieldId)) {
      const { section } = await this.#section(file, SECTION_VECTORS, fieldId);
      if (section.dimension !== dimension || section.bytes.byteLength !== 4 * section.rows * dimension) {
        throw corrupt(this.#prefix + file.name, `field ${fieldId} has another dimension`);
      }
      yield section.bytes;
    }
  }

  /** The files of a field, in the order of their rows, which follow one another without a gap. */
  #files(fieldId: number): SegmentFile[] {
    const files = this.#info.files
      .filter((file) => file.fieldIds.includes(fieldId))
      .sort((a, b) => a.startRow - b.startRow);
    let rows = 0;
    for (const file of files) {
      if (file.startRow !== rows)
        throw corrupt(this.#prefix + file.name, 'it does not begin where the one before ends');
      rows += file.rows;
    }
    if (rows !== this.#info.rows)
      throw corrupt(this.#prefix, `field ${fieldId} has ${rows} rows of ${this.#info.rows}`);
    return files;
  }

  async #section(file: SegmentFile, kind: number, fieldId: number): Promise<ReadSection> {
    const isSmall = file.bytes <= WHOLE_FILE_BYTES || file.fieldIds.length === 1;
    const read = isSmall
      ? { section: find(await this.#whole(file), kind, fieldId), isPart: true }
      : { section: await this.#ranged(file, kind, fieldId), isPart: false };
    const { section } = read;
    const key = this.#prefix + file.name;
    if (section === undefined) throw corrupt(key, `field ${fieldId} is not in it`);
    if (section.rows !== file.rows)
      throw corrupt(key, `it has ${section.rows} rows, and the manifest says ${file.rows}`);
    return { section, isPart: read.isPart };
  }

  #whole(file: SegmentFile): Promise<readonly Section[]> {
    let whole = this.#wholes.get(file.name);
    if (whole === undefined) {
      whole = this.#readWhole(file).finally(() => this.#wholes.delete(file.name));
      this.#wholes.set(file.name, whole);
    }
    return whole;
  }

  async #readWhole(file: SegmentFile): Promise<readonly Section[]> {
    const key = this.#prefix + file.name;
    const object = await this.#objects.read(key);
    if (object === undefined) throw missingObject(key);
    if (object.size !== file.bytes) throw anotherSize(key, object.size, file);
    return decodeFile(object.bytes, key, this.#checksum);
  }

  async #ranged(file: SegmentFile, kind: number, fieldId: number): Promise<Section | undefined> {
    const key = this.#prefix + file.name;
    const entry = find(await this.#directory(file), kind, fieldId);
    if (entry === undefined) return undefined;
    const object = await this.#objects.read(key, { start: entry.offset, end: entry.end });
    if (object === undefined) throw missingObject(key);
    return { ...entry, bytes: checkSection(object.bytes, entry, key, this.#checksum) };
  }

  #directory(file: SegmentFile): Promise<readonly SectionEntry[]> {
    let directory = this.#directories.get(file.name);
    if (directory === undefined) {
      directory = this.#readDirectory(file);
      this.#directories.set(file.name, directory);
      // Only what was read well is kept; whoever waits hears of the failure.
      directory.catch(() => this.#directories.delete(file.name));
    }
    return directory;
  }

  async #readDirectory(file: SegmentFile): Promise<readonly SectionEntry[]> {
    const key = this.#prefix + file.name;
    const tail = await this.#readTail(file, key);
    if (tail === undefined) throw missingObject(key);
    if (tail.size !== file.bytes) throw anotherSize(key, tail.size, file);
    return decodeDirectory(tail.bytes, file.directoryAt, key);
  }

  /** A file that was cut off before its directory has nothing in that range, which a store calls `invalid`. */
  async #readTail(file: SegmentFile, key: string): ReturnType<ObjectStore['read']> {
    try {
      return await this.#objects.read(key, { start: file.directoryAt, end: file.bytes });
    } catch (error) {
      if (codeOf(error) === 'invalid') throw corrupt(key, 'it is cut off', error);
      throw error;
    }
  }
}

function find<Entry extends SectionEntry | Section>(
  entries: readonly Entry[],
  kind: number,
  fieldId: number,
): Entry | undefined {
  return entries.find((entry) => entry.kind === kind && entry.fieldId === fieldId);
}

function anotherSize(key: string, size: number, file: SegmentFile): ElanusError {
  return corrupt(key, `it has ${size} bytes, and the manifest says ${file.bytes}`);
}

/** A reader that meets a missing object reloads the manifest: it may be older than the garbage collection. */
export function missingObject(key: string): ElanusError {
  return new ElanusError('stale', `The object ${key} is gone; the manifest that named it is old.`, {
    details: { key, reason: 'missing-object' },
  });
}
