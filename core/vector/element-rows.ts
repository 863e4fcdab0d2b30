import { ElanusError } from '../base/error.ts';
import { type ElementType, vectorBytes } from './element.ts';

/** The rows of a `Float32Array` have 4 bytes a value, those of bytes are as they are stored. */
export function isFloats(rows: Float32Array | Uint8Array): rows is Float32Array {
  return rows.BYTES_PER_ELEMENT === Float32Array.BYTES_PER_ELEMENT;
}

/** The values of stored rows (little-endian, any alignment), exactly; bits as 0 and 1. */
export function floatsOfRows(elements: ElementType, bytes: Uint8Array, dimension: number): Float32Array<ArrayBuffer> {
  switch (elements) {
    case 'f32':
      return new Float32Array(bytes.slice().buffer);
    case 'f16':
      return Float32Array.from(new Uint16Array(bytes.slice().buffer), floatOfHalf);
    case 'bf16':
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes.slice().buffer), (half) => half << 16).buffer);
    case 'int8':
      return Float32Array.from(new Int8Array(bytes.slice().buffer));
    case 'bit': {
      const rowBytes = vectorBytes('bit', dimension);
      const values = new Float32Array((bytes.length / rowBytes) * dimension);
      for (let index = 0; index < values.length; index++) {
        const bit = index % dimension;
        const byte = bytes[((index - bit) / dimension) * rowBytes + (bit >> 3)] as number;
        values[index] = (byte >> (bit & 7)) & 1;
      }
      return values;
    }
  }
}

/**
 * Rows of int8 or bits in their stored form, from their values.
 *
 * Throws `invalid` for a value that these elements cannot hold: nothing is rounded.
 */
export function storedRows(elements: 'int8' | 'bit', values: Float32Array, dimension: number): Uint8Array<ArrayBuffer> {
  const [lowest, highest] = elements === 'int8' ? [-128, 127] : [0, 1];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (Number.isInteger(value) && value >= lowest && value <= highest) continue;
    const at = `value ${index % dimension} of vector ${Math.floor(index / dimension)}`;
    throw new ElanusError(
      'invalid',
      `${elements} vectors hold whole numbers from ${lowest} to ${highest}, and ${at} is ${value}. Quantize the ` +
        'vectors first, or keep other elements.',
      { details: { elements, value } },
    );
  }
  if (elements === 'int8') return new Uint8Array(Int8Array.from(values).buffer);
  const rowBytes = vectorBytes('bit', dimension);
  const bytes = new Uint8Array((values.length / dimension) * rowBytes);
  for (let index = 0; index < values.length; index++) {
    const bit = index % dimension;
    const at = ((index - bit) / dimension) * rowBytes + (bit >> 3);
    bytes[at] = (bytes[at] as number) | ((values[index] as number) << (bit & 7));
  }
  return bytes;
}

/** An IEEE half: sign, 5 bits of exponent, 10 of fraction. */
function floatOfHalf(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  let magnitude = (1024 + fraction) * 2 ** (exponent - 25);
  if (exponent === 0) magnitude = fraction * 2 ** -24;
  if (exponent === 31) magnitude = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  return half & 0x8000 ? -magnitude : magnitude;
}
