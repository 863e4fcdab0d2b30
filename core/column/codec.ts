import { concatBytes } from '../base/bytes.ts';
import { ElanusError } from '../base/error.ts';
import type { ArrayValue, Column, ColumnBatch, VectorColumn } from '../model/column.ts';
import { type ElementType, SCALAR_TYPES, type ScalarType } from '../model/schema.ts';
import { decodeTexts, encodeTexts } from './texts.ts';

/*
 * A batch of columns in bytes: the payload of a write in the log, and the body of a segment's sections. Little-endian;
 * every column begins at a multiple of 16 from the start, so that its values can be used in place.
 *
 *   "ELCB" · version u16 · 0 u16 · rows u32 · columns u32
 *   a directory entry for each column: field id u32 · type u8 · element type u8 · flags u8 · 0 u8 · dimension u32 · bytes u32
 *   the columns, each padded to 16
 *
 * A column: the validity bytes if flag 1 is set (one a row, padded to 8), then the values:
 *   fixed width   rows × width
 *   texts, JSON   offsets u32 × (rows + 1), UTF-8
 *   arrays        element offsets u32 × (rows + 1), padded to 8, the elements as a column without validity
 *   vectors       rows × dimension × f32
 */

const MAGIC = 0x42434c45;
const VERSION = 1;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 16;
const ALIGNMENT = 16;
const FLAG_VALID = 1;
const VECTOR_CODE = 100;

type FixedType = Exclude<ScalarType, 'VarChar' | 'JSON' | 'Array'>;
const WIDTHS: Readonly<Record<FixedType, number>> = {
  Bool: 1,
  Int8: 1,
  Int16: 2,
  Int32: 4,
  Int64: 8,
  Float: 4,
  Double: 8,
};

/** Bytes of a value of this type, if all have as many. */
export function fixedWidth(type: ScalarType): number | undefined {
  return type === 'VarChar' || type === 'JSON' || type === 'Array' ? undefined : WIDTHS[type];
}

/** The bytes of a batch; the batch itself is not kept. */
export function encodeBatch(batch: ColumnBatch): Uint8Array<ArrayBuffer> {
  const columns: { id: number; type: number; element: number; flags: number; dimension: number; bytes: Uint8Array }[] =
    [];
  for (const [id, column] of batch.scalars) {
    const element = typeCode(column.type === 'Array' ? column.elementType : undefined);
    const flags = column.valid === undefined ? 0 : FLAG_VALID;
    columns.push({ id, type: typeCode(column.type), element, flags, dimension: 0, bytes: encodeColumn(column) });
  }
  for (const [id, vectors] of batch.vectors) {
    const bytes = bytesOf(vectors.values.subarray(0, batch.length * vectors.dimension));
    columns.push({ id, type: VECTOR_CODE, element: 0, flags: 0, dimension: vectors.dimension, bytes });
  }
  const head = new DataView(new ArrayBuffer(aligned(HEADER_BYTES + columns.length * ENTRY_BYTES)));
  head.setUint32(0, MAGIC, true);
  head.setUint16(4, VERSION, true);
  head.setUint32(8, batch.length, true);
  head.setUint32(12, columns.length, true);
  const parts: Uint8Array[] = [new Uint8Array(head.buffer)];
  for (const [at, column] of columns.entries()) {
    const entry = HEADER_BYTES + at * ENTRY_BYTES;
    head.setUint32(entry, column.id, true);
    head.setUint8(entry + 4, column.type);
    head.setUint8(entry + 5, column.element);
    head.setUint8(entry + 6, column.flags);
    head.setUint32(entry + 8, column.dimension, true);
    head.setUint32(entry + 12, column.bytes.byteLength, true);
    parts.push(column.bytes, padding(column.bytes.byteLength, ALIGNMENT));
  }
  return concatBytes(parts);
}

/**
 * Reads a batch. Values are views of `bytes` where their alignment allows it, so the caller must not change the bytes
 * while it uses the batch. Throws `corrupt` for what is not a batch; lengths are never believed beyond the bytes.
 *
 * @param source names the bytes in errors
 */
export function decodeBatch(bytes: Uint8Array, source: string = 'A batch of columns'): ColumnBatch {
  const buffer = bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice();
  if (buffer.byteLength < HEADER_BYTES) throw damaged(source, 'it is too short');
  const head = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (head.getUint32(0, true) !== MAGIC) throw damaged(source, 'it does not begin as one');
  if (head.getUint16(4, true) !== VERSION) throw damaged(source, `its version is ${head.getUint16(4, true)}`);
  const length = head.getUint32(8, true);
  const count = head.getUint32(12, true);
  if (count * ENTRY_BYTES > buffer.byteLength - HEADER_BYTES) throw damaged(source, 'its directory is cut off');
  // Every column bounds the number of rows by its bytes; without one nothing would.
  if (count === 0 && length > 0) throw damaged(source, 'it has rows without columns');
  let offset = aligned(HEADER_BYTES + count * ENTRY_BYTES);
  const scalars = new Map<number, Column>();
  const vectors = new Map<number, VectorColumn>();
  for (let at = 0; at < count; at++) {
    const entry = HEADER_BYTES + at * ENTRY_BYTES;
    const id = head.getUint32(entry, true);
    const size = head.getUint32(entry + 12, true);
    if (offset + size > buffer.byteLength) throw damaged(source, `column ${id} is cut off`);
    if (scalars.has(id) || vectors.has(id)) throw damaged(source, `column ${id} is in it twice`);
    const body = buffer.subarray(offset, offset + size);
    if (head.getUint8(entry + 4) === VECTOR_CODE) {
      const dimension = head.getUint32(entry + 8, true);
      if (dimension === 0 || size !== length * dimension * 4) throw damaged(source, `vectors ${id} have another size`);
      vectors.set(id, {
        dimension,
        length,
        values: new Float32Array(body.buffer, body.byteOffset, length * dimension),
      });
    } else {
      const types = columnTypes(head.getUint8(entry + 4), head.getUint8(entry + 5), source);
      const hasValid = (head.getUint8(entry + 6) & FLAG_VALID) !== 0;
      scalars.set(id, decodeColumn(body, { ...types, length, hasValid, source }));
    }
    offset = aligned(offset + size);
  }
  if (offset !== buffer.byteLength) throw damaged(source, `it ends at byte ${offset} and has ${buffer.byteLength}`);
  return { length, scalars, vectors };
}

/** What the directory of a batch says of a column. */
export interface BatchEntry {
  /** Undefined for vectors. */
  readonly type: ScalarType | undefined;
  readonly bytes: number;
}

/** The rows and columns of a batch that `encodeBatch` made, without decoding it. */
export function batchDirectory(batch: Uint8Array): { readonly rows: number; readonly columns: BatchEntry[] } {
  const head = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const columns = Array.from({ length: head.getUint32(12, true) }, (_, at): BatchEntry => {
    const entry = HEADER_BYTES + at * ENTRY_BYTES;
    const code = head.getUint8(entry + 4);
    return { type: SCALAR_TYPES[code - 1], bytes: head.getUint32(entry + 12, true) };
  });
  return { rows: head.getUint32(8, true), columns };
}

/** One scalar column in bytes, without a directory: a segment's section says its type. */
export function encodeColumn(column: Column): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  if (column.valid !== undefined) {
    parts.push(column.valid.subarray(0, column.length), padding(column.length, 8));
  }
  parts.push(...encodeValues(column));
  return concatBytes(parts);
}

export interface ColumnShape {
  readonly type: ScalarType;
  readonly elementType: ElementType | undefined;
  readonly length: number;
  readonly hasValid: boolean;
  /** Names the bytes in errors. */
  readonly source: string;
}

/**
 * Reads what `encodeColumn` wrote. Values are views of `bytes` where their alignment allows it. Throws `corrupt` if the
 * bytes are not exactly a column of this shape.
 */
export function decodeColumn(bytes: Uint8Array, shape: ColumnShape): Column {
  const { length, source } = shape;
  const validBytes = shape.hasValid ? length + padding(length, 8).byteLength : 0;
  if (validBytes > bytes.byteLength) throw damaged(source, 'a column is cut off');
  const valid = shape.hasValid ? bytes.subarray(0, length) : undefined;
  const column = decodeValues(bytes.subarray(validBytes), shape);
  return valid === undefined ? column : ({ ...column, valid } as Column);
}

function encodeValues(column: Column): Uint8Array[] {
  if (column.type === 'VarChar' || column.type === 'JSON') return encodeTexts(column.values, column.length);
  if (column.type !== 'Array') return [bytesOf(column.values.subarray(0, column.length))];
  const offsets = new Uint32Array(column.length + 1);
  const elements: ArrayValue[number][] = [];
  for (let row = 0; row < column.length; row++) {
    for (const element of column.values[row] ?? []) elements.push(element);
    offsets[row + 1] = elements.length;
  }
  const bytes = bytesOf(offsets);
  return [bytes, padding(bytes.byteLength, 8), ...encodeValues(elementColumn(column.elementType, elements))];
}

function decodeValues(bytes: Uint8Array, shape: ColumnShape): Column {
  const { type, length, source } = shape;
  if (type === 'VarChar' || type === 'JSON') return { type, length, values: decodeTexts(bytes, length, source) };
  if (type !== 'Array') {
    if (bytes.byteLength !== length * WIDTHS[type]) throw damaged(source, 'a column has another size');
    return typedColumn(type, bytes, length);
  }
  const offsetBytes = 4 * (length + 1);
  const start = offsetBytes + padding(offsetBytes, 8).byteLength;
  if (start > bytes.byteLength) throw damaged(source, 'a column is cut off');
  const offsets = typedColumn('Int32', bytes.subarray(0, offsetBytes), length + 1).values as Int32Array;
  const elementType = shape.elementType;
  const count = offsets[length] ?? 0;
  // Arrays do not nest, so that the depth of this recursion is one.
  if (elementType === undefined || count < 0) throw damaged(source, 'the arrays of a column have another shape');
  const elements = decodeValues(bytes.subarray(start), { ...shape, type: elementType, length: count })
    .values as ArrayLike<ArrayValue[number]>;
  const values: ArrayValue[] = [];
  for (let row = 0; row < length; row++) {
    const from = offsets[row] ?? 0;
    const to = offsets[row + 1] ?? 0;
    if (from < 0 || to < from || to > count) throw damaged(source, 'the arrays of a column overlap');
    const value: ArrayValue[number][] = [];
    for (let at = from; at < to; at++) {
      const element = elements[at] as ArrayValue[number];
      value.push(elementType === 'Bool' ? Boolean(element) : element);
    }
    values.push(value);
  }
  return { type, elementType, length, values };
}

/** The elements of all arrays of a column, as a column of their own. */
function elementColumn(type: ElementType, elements: readonly ArrayValue[number][]): Column {
  const length = elements.length;
  if (type === 'VarChar') return { type, length, values: elements as string[] };
  if (type === 'Int64') return { type, length, values: BigInt64Array.from(elements as bigint[]) };
  const numbers = elements.map(Number);
  if (type === 'Bool') return { type, length, values: Uint8Array.from(numbers) };
  if (type === 'Int8') return { type, length, values: Int8Array.from(numbers) };
  if (type === 'Int16') return { type, length, values: Int16Array.from(numbers) };
  if (type === 'Int32') return { type, length, values: Int32Array.from(numbers) };
  if (type === 'Float') return { type, length, values: Float32Array.from(numbers) };
  return { type, length, values: Float64Array.from(numbers) };
}

function typedColumn(type: FixedType, bytes: Uint8Array, length: number): Column {
  const { buffer, byteOffset } = bytes.byteOffset % WIDTHS[type] === 0 ? bytes : bytes.slice();
  switch (type) {
    case 'Bool':
      return { type, length, values: new Uint8Array(buffer, byteOffset, length) };
    case 'Int8':
      return { type, length, values: new Int8Array(buffer, byteOffset, length) };
    case 'Int16':
      return { type, length, values: new Int16Array(buffer, byteOffset, length) };
    case 'Int32':
      return { type, length, values: new Int32Array(buffer, byteOffset, length) };
    case 'Int64':
      return { type, length, values: new BigInt64Array(buffer, byteOffset, length) };
    case 'Float':
      return { type, length, values: new Float32Array(buffer, byteOffset, length) };
    case 'Double':
      return { type, length, values: new Float64Array(buffer, byteOffset, length) };
  }
}

/** How a type is written: its place in `SCALAR_TYPES`, from 1 on; 0 stands for none. */
export function typeCode(type: ScalarType | undefined): number {
  return type === undefined ? 0 : SCALAR_TYPES.indexOf(type) + 1;
}

/** The types that two codes stand for; throws `corrupt` for those that stand for none. */
export function columnTypes(
  code: number,
  elementCode: number,
  source: string,
): { readonly type: ScalarType; readonly elementType: ElementType | undefined } {
  const type = SCALAR_TYPES[code - 1];
  const elementType = SCALAR_TYPES[elementCode - 1];
  if (type === undefined) throw damaged(source, `there is no column type ${code}`);
  if (type !== 'Array') return { type, elementType: undefined };
  if (elementType === undefined || elementType === 'JSON' || elementType === 'Array') {
    throw damaged(source, `there is no element type ${elementCode}`);
  }
  return { type, elementType };
}

/** The bytes of a typed array as they lie in memory: little-endian on every host that runs WebAssembly. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const ZEROS = new Uint8Array(ALIGNMENT);

function padding(length: number, alignment: number): Uint8Array {
  return ZEROS.subarray(0, -length & (alignment - 1));
}

function aligned(offset: number): number {
  return (offset + ALIGNMENT - 1) & -ALIGNMENT;
}

function damaged(source: string, what: string): ElanusError {
  return new ElanusError('corrupt', `${source} is damaged: ${what}. Restore it from a copy.`, { details: { source } });
}
