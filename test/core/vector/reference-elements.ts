import type { ElementType } from '../../../core/vector/element.ts';

/** Stored elements as their definitions say, value by value. */

/** An IEEE half by its definition: sign, 5 bits of exponent, 10 of fraction. */
export function f16Of(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The upper half of a float32. */
export function bf16Of(bits: number): number {
  return new Float32Array(Uint32Array.of(bits * 65_536).buffer)[0] as number;
}

/**
 * The 16 bits whose value is nearest, of two equally near the one whose last bit is 0; found among all of one sign,
 * whose values ascend with their bits. `largest` is the last finite one; the next would be as far from it as the one
 * before.
 */
function nearest(value: number, of: (bits: number) => number, largest: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) throw new Error('NaN has no nearest value.');
  let low = 0;
  let high = largest + 1;
  const valueAt = (bits: number) => (bits > largest ? 2 * of(largest) - of(largest - 1) : of(bits));
  if (magnitude >= valueAt(high)) return sign | high;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - valueAt(low);
  const above = valueAt(high) - magnitude;
  if (below === above) return sign | (low % 2 === 0 ? low : high);
  return sign | (below < above ? low : high);
}

export const toF16 = (value: number): number => nearest(value, f16Of, 0x7bff);
export const toBF16 = (value: number): number => nearest(value, bf16Of, 0x7f7f);

/** A vector in its stored form. Values must be what the elements can hold, but for f16 and bf16, which round. */
export function referenceEncode(elements: ElementType, values: Float32Array): Uint8Array {
  switch (elements) {
    case 'f32':
      return new Uint8Array(values.slice().buffer);
    case 'f16':
      return new Uint8Array(Uint16Array.from(values, toF16).buffer);
    case 'bf16':
      return new Uint8Array(Uint16Array.from(values, toBF16).buffer);
    case 'int8':
      return new Uint8Array(Int8Array.from(values).buffer);
    case 'bit': {
      const bytes = new Uint8Array(Math.ceil(values.length / 8));
      values.forEach((value, index) => {
        if (value !== 0) bytes[index >> 3]! |= 1 << (index & 7);
      });
      return bytes;
    }
  }
}

/** The values of a stored vector. */
export function referenceDecode(elements: ElementType, bytes: Uint8Array, dimension: number): Float32Array {
  const buffer = bytes.slice().buffer;
  switch (elements) {
    case 'f32':
      return new Float32Array(buffer);
    case 'f16':
      return Float32Array.from(new Uint16Array(buffer), f16Of);
    case 'bf16':
      return Float32Array.from(new Uint16Array(buffer), bf16Of);
    case 'int8':
      return Float32Array.from(new Int8Array(buffer));
    case 'bit':
      return Float32Array.from({ length: dimension }, (_, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1);
  }
}
