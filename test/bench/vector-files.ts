import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Rows of one dimension, one after another. */
export interface VectorFile {
  readonly dimension: number;
  readonly values: Float32Array;
}

/** Row numbers, `width` a query. */
export interface RowFile {
  readonly width: number;
  readonly rows: Int32Array;
}

/**
 * Reads `.fbin`, `.f16bin`, `.u8bin` (`uint32 n, uint32 d`, then the values) or `.fvecs` (each row `int32 d` and its
 * values), little-endian, by the name's ending; `.gz` behind it is unpacked. Values become float32, which each of
 * these types fits in exactly.
 */
export function readVectors(path: string): VectorFile {
  const bytes = readBytes(path);
  const name = path.replace(/\.gz$/, '');
  if (name.endsWith('.fvecs')) return rowsWithLengths(bytes);
  const header = new DataView(bytes.buffer);
  const size = header.getUint32(0, true);
  const dimension = header.getUint32(4, true);
  const count = size * dimension;
  return { dimension, values: valuesBehindHeader(name, bytes.buffer, count) };
}

/** Reads `.ibin` or `.ivecs`: the exact nearest rows of each query. */
export function readRows(path: string): RowFile {
  const bytes = readBytes(path);
  const words = new Int32Array(bytes.buffer);
  if (!path.endsWith('.ivecs')) return { width: words[1]!, rows: words.subarray(2) };
  const width = words[0]!;
  const count = words.length / (width + 1);
  const rows = new Int32Array(count * width);
  for (let row = 0; row < count; row++) {
    rows.set(words.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)), row * width);
  }
  return { width, rows };
}

/** The file or, if only that is there, the file packed. The bytes have a buffer of their own. */
function readBytes(path: string): Uint8Array<ArrayBuffer> {
  const file = existsSync(path) ? path : `${path}.gz`;
  const stored = readFileSync(file);
  return new Uint8Array(file.endsWith('.gz') ? gunzipSync(stored) : stored);
}

function valuesBehindHeader(name: string, buffer: ArrayBuffer, count: number): Float32Array {
  if (name.endsWith('.fbin')) return new Float32Array(buffer, 8, count);
  if (name.endsWith('.u8bin')) return Float32Array.from(new Uint8Array(buffer, 8, count));
  if (name.endsWith('.f16bin')) return widened(new Uint16Array(buffer, 8, count));
  throw new Error(`${name}: not a format that the bench reads (.fbin, .f16bin, .u8bin, .fvecs).`);
}

function rowsWithLengths(bytes: Uint8Array<ArrayBuffer>): VectorFile {
  const dimension = new DataView(bytes.buffer).getInt32(0, true);
  const words = new Float32Array(bytes.buffer);
  const count = words.length / (dimension + 1);
  const values = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    values.set(words.subarray(row * (dimension + 1) + 1, (row + 1) * (dimension + 1)), row * dimension);
  }
  return { dimension, values };
}

/** IEEE 754 half to single; the sets hold neither infinities nor NaN. */
function widened(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index]!;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[index] = half & 0x8000 ? -magnitude : magnitude;
  }
  return values;
}
