import type { Metric } from '../model/metric.ts';

/**
 * How the values of stored vectors are kept:
 *
 * | elements | a value | metrics | Milvus's vector type |
 * |---|---|---|---|
 * | `f32` | float32, exactly as it came | L2, IP, COSINE | FloatVector |
 * | `f16` | IEEE half: 11 significant bits, up to 65,504 | L2, IP, COSINE | Float16Vector |
 * | `bf16` | the upper half of a float32: 8 significant bits, its whole range | L2, IP, COSINE | BFloat16Vector |
 * | `int8` | a whole number, -128 to 127 | L2, IP, COSINE | Int8Vector |
 * | `bit` | 0 or 1; value i is bit i & 7 of byte i >> 3 | HAMMING, JACCARD | BinaryVector |
 */
export const ELEMENT_TYPES = ['f32', 'f16', 'bf16', 'int8', 'bit'] as const;

export type ElementType = (typeof ELEMENT_TYPES)[number];

/**
 * `Metric`, and what is for bits alone, with Milvus's values; for both, smaller is nearer:
 *
 * - `HAMMING`: the number of values that differ.
 * - `JACCARD`: 1 minus what both have over what either has, from 0 to 1; 0 if both vectors are empty.
 */
export type VectorMetric = Metric | 'HAMMING' | 'JACCARD';

/** Whether vectors of these elements are compared by this metric. */
export function isMetricOf(elements: ElementType, metric: VectorMetric): boolean {
  return (elements === 'bit') === (metric === 'HAMMING' || metric === 'JACCARD');
}

/** Bytes of a stored vector. `dimension` counts values: bits, where elements are bits. */
export function vectorBytes(elements: ElementType, dimension: number): number {
  switch (elements) {
    case 'f32':
      return dimension * 4;
    case 'f16':
    case 'bf16':
      return dimension * 2;
    case 'int8':
      return dimension;
    case 'bit':
      return Math.ceil(dimension / 8);
  }
}

/** Whether a larger distance means a nearer vector. */
export function isLargerNearerBy(metric: VectorMetric): boolean {
  return metric === 'IP' || metric === 'COSINE';
}
