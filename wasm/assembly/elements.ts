/** How a vector's values are stored, as the host numbers it. Vectors lie without padding, at any address. */
export const F32: u32 = 0;
export const F16: u32 = 1;
export const BF16: u32 = 2;
export const INT8: u32 = 3;
export const BITS: u32 = 4;

/** Metrics, as the host numbers them. The last two are for bits alone, and bits are for them alone. */
export const L2: u32 = 0;
export const IP: u32 = 1;
export const COSINE: u32 = 2;
export const HAMMING: u32 = 3;
export const JACCARD: u32 = 4;

/** Bytes of a stored vector. */
export function vectorBytes(elements: u32, dimension: u32): u32 {
  if (elements == F32) return dimension << 2;
  if (elements == INT8) return dimension;
  return elements == BITS ? (dimension + 7) >> 3 : dimension << 1;
}
