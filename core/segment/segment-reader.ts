import { ElanusError } from '../base/error.ts';
import { decodeColumn } from '../column/codec.ts';
import type { Column } from '../model/column.ts';
import { type CollectionMeta, type ElementType, SCALAR_TYPES } from '../model/schema.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { checkSection, corrupt, decodeDirectory, SECTION_COLUMN, SECTION_VECTORS, type SectionEntry } from './format.ts';
import { type SegmentFile, type SegmentInfo, segmentPrefix } from './segment-info.ts';

/** A scalar field of a segment, one piece for each of its files, in the order of the rows. */
export async function readColumns(
  objects: ObjectStore,
  meta: CollectionMeta,
  info: SegmentInfo,
  fieldId: number,
): Promise<Column[]> {
  return Promise.all(
    filesOf(info, fieldId).map(async (file) => {
      const key = segmentPrefix(meta.id, info) + file.name;
      const { entry, bytes } = await readSection(objects, key, file, SECTION_COLUMN, fieldId);
      const type = SCALAR_TYPES[entry.type - 1];
      if (type === undefined || entry.rows !== file.rows) throw corrupt(key, `field ${fieldId} has another shape`);
      const elementType = entry.elementType === 0 ? undefined : (SCALAR_TYPES[entry.elementType - 1] as ElementType);
      return decodeColumn(bytes, { type, elementType, length: entry.rows, hasValid: entry.hasValid, source: key });
    }),
  );
}

/** A vector field of a segment, file after file: little-endian float32 rows, as the kernel takes them. */
export async function* readVectors(
  objects: ObjectStore,
  meta: CollectionMeta,
  info: SegmentInfo,
  fieldId: number,
): AsyncGenerator<Uint8Array> {
  for (const file of filesOf(info, fieldId)) {
    const key = segmentPrefix(meta.id, info) + file.name;
    const { entry, bytes } = await readSection(objects, key, file, SECTION_VECTORS, fieldId);
    if (entry.rows !== file.rows || bytes.byteLength !== 4 * entry.rows * entry.dimension) {
      throw corrupt(key, `field ${fieldId} has another shape`);
    }
    yield bytes;
  }
}

function filesOf(info: SegmentInfo, fieldId: number): SegmentFile[] {
  const files = info.files.filter((file) => file.fieldIds.includes(fieldId));
  return files.toSorted((a, b) => a.startRow - b.startRow);
}

async function readSection(
  objects: ObjectStore,
  key: string,
  file: SegmentFile,
  kind: number,
  fieldId: number,
): Promise<{ readonly entry: SectionEntry; readonly bytes: Uint8Array }> {
  const tail = await objects.read(key, { start: file.directoryAt, end: file.bytes });
  if (tail === undefined) throw missingObject(key);
  if (tail.size !== file.bytes) throw corrupt(key, `it has ${tail.size} bytes, and the manifest says ${file.bytes}`);
  const entries = decodeDirectory(tail.bytes, file.directoryAt, key);
  const entry = entries.find((candidate) => candidate.kind === kind && candidate.fieldId === fieldId);
  if (entry === undefined) throw corrupt(key, `field ${fieldId} is not in it`);
  const section = await objects.read(key, { start: entry.offset, end: entry.end });
  if (section === undefined) throw missingObject(key);
  return { entry, bytes: checkSection(section.bytes, entry, key) };
}

/** A reader that meets a missing object reloads the manifest: it may be older than the garbage collection. */
export function missingObject(key: string): ElanusError {
  return new ElanusError('stale', `The object ${key} is gone; the manifest that named it is old.`, {
    details: { key, reason: 'missing-object' },
  });
}
