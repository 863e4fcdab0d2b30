import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { ELEMENT_TYPES, type ElementType, type VectorMetric } from '../../../core/vector/element.ts';
import { WASM_BUILDS } from '../../node/kernel.ts';
import { KernelVectors } from './kernel-vectors.ts';
import { referenceDistance, tolerance } from './reference.ts';
import { referenceEncode } from './reference-elements.ts';

/** `distances` against the definitions in float64. Vectors lie at odd addresses, among bytes that are no number. */

const FLOATS = ['f32', 'f16', 'bf16'] as const;
const SHIFTS = [0, 4, 1, 8, 3, 13, 2, 7, 15];

const PAIRS: readonly (readonly [ElementType, VectorMetric])[] = ELEMENT_TYPES.flatMap((elements) =>
  (elements === 'bit' ? (['HAMMING', 'JACCARD'] as const) : (['L2', 'IP', 'COSINE'] as const)).map(
    (metric) => [elements, metric] as const,
  ),
);

function isFloat(elements: ElementType): elements is 'f32' | 'f16' | 'bf16' {
  return elements !== 'int8' && elements !== 'bit';
}

const encoder = await KernelVectors.create('simd');

/** A vector in its stored form, and its values. */
interface Stored {
  readonly bytes: Uint8Array;
  readonly values: Float32Array;
}

/** 16-bit floats by the kernel, whose encoding another test checks value by value. */
function store(elements: ElementType, values: Float32Array): Stored {
  if (elements === 'f16' || elements === 'bf16') {
    const bytes = encoder.encode(elements, values);
    return { bytes, values: encoder.decode(elements, bytes, values.length) };
  }
  return { bytes: referenceEncode(elements, values), values };
}

function drawStored(random: () => number, elements: ElementType, dimension: number): Stored {
  const draw = (): number => {
    if (elements === 'int8') return random() % 4 === 0 ? [-128, 127][random() % 2]! : (random() % 256) - 128;
    if (elements === 'bit') return random() % 3 === 0 ? 1 : 0;
    // Some denormal f16, some zeros.
    const kind = random() % 40;
    return kind === 0 ? 0 : (random() / 2 ** 31 - 1) * (kind === 1 ? 6e-5 : 1);
  };
  return store(elements, Float32Array.from({ length: dimension }, draw));
}

/** The query as `distances` takes it: of length 1 for COSINE on floats. */
function queryOf(kernel: KernelVectors, elements: ElementType, metric: VectorMetric, stored: Stored) {
  if (!isFloat(elements)) return stored.bytes;
  return metric === 'COSINE' ? kernel.normalize(stored.values) : stored.values;
}

/** By the definition, smaller is nearer. */
function referenceScore(metric: VectorMetric, query: Float32Array, values: Float32Array): number {
  if (metric === 'L2') return referenceDistance('L2', query, values);
  if (metric === 'IP' || metric === 'COSINE') return 0 - referenceDistance(metric, query, values);
  let differing = 0;
  let either = 0;
  values.forEach((value, index) => {
    differing += value === query[index] ? 0 : 1;
    either += value === 0 && query[index] === 0 ? 0 : 1;
  });
  return metric === 'HAMMING' ? differing : Math.fround(differing / Math.max(1, either));
}

function expectScore(
  elements: ElementType,
  metric: VectorMetric,
  score: number,
  query: Float32Array,
  vector: Float32Array,
): void {
  const exact = referenceScore(metric, query, vector);
  if (isFloat(elements) || metric === 'COSINE') {
    // One more for the length, which is a sum of as many terms.
    const margin = isFloat(elements) ? 2 * tolerance(metric as 'L2', query, vector) : 2 ** -24;
    if (!(Math.abs(score - exact) <= margin)) expect([query.length, score]).toEqual([query.length, exact]);
  } else if (score !== Math.fround(exact)) expect([query.length, score]).toEqual([query.length, Math.fround(exact)]);
}

describe.each(WASM_BUILDS)('distances, %s build', async (build) => {
  const kernel = await KernelVectors.create(build);

  it.each(PAIRS)('%s %s is the definition, at every dimension to 300 and some to 32,768', (elements, metric) => {
    const random = seededRandom(11);
    const dimensions = Array.from({ length: 300 }, (_, index) => index + 1);
    for (let more = 0; more < 4; more++) dimensions.push((random() % 32_768) + 1);
    dimensions.push(32_767, 32_768);
    for (const dimension of dimensions) {
      const query = drawStored(random, elements, dimension);
      const count = dimension > 300 ? 3 : (random() % 9) + 1;
      const vectors = Array.from({ length: count }, () => drawStored(random, elements, dimension));
      const taken = queryOf(kernel, elements, metric, query);
      const shifts = [...SHIFTS.slice(dimension % 9), ...SHIFTS];
      const scores = kernel.distances(
        elements,
        metric,
        dimension,
        taken,
        vectors.map(({ bytes }) => bytes),
        shifts,
      );
      vectors.forEach(({ values }, index) => {
        expectScore(elements, metric, scores[index] ?? Number.NaN, query.values, values);
      });
    }
  });

  it.each(PAIRS)('%s %s gives one pair of vectors the same bits alone and at every place', (elements, metric) => {
    const random = seededRandom(12);
    for (const dimension of [1, 3, 4, 7, 8, 12, 15, 16, 29, 64, 100, 384, 1003]) {
      const vectors = Array.from({ length: 7 }, () => drawStored(random, elements, dimension).bytes);
      const query = queryOf(kernel, elements, metric, drawStored(random, elements, dimension));
      const together = kernel.distances(elements, metric, dimension, query, vectors, SHIFTS);
      const reversed = kernel.distances(elements, metric, dimension, query, [...vectors].reverse(), [5]).reverse();
      const alone = vectors.flatMap((vector) => [...kernel.distances(elements, metric, dimension, query, [vector])]);
      expect([...reversed]).toEqual([...together]);
      expect(alone).toEqual([...together]);
    }
  });

  it.each(['f16', 'bf16'] as const)('%s gives the bits that float32 of the same values gives', (elements) => {
    const random = seededRandom(13);
    for (const metric of ['L2', 'IP', 'COSINE'] as const) {
      for (let dimension = 1; dimension <= 80; dimension++) {
        const stored = Array.from({ length: 5 }, () => drawStored(random, elements, dimension));
        const query = queryOf(kernel, 'f32', metric, drawStored(random, 'f32', dimension));
        const halves = kernel.distances(
          elements,
          metric,
          dimension,
          query,
          stored.map(({ bytes }) => bytes),
          SHIFTS,
        );
        const wide = stored.map(({ values }) => referenceEncode('f32', values));
        expect(halves).toEqual(kernel.distances('f32', metric, dimension, query, wide));
      }
    }
  });

  it('is exact at the ends of int8, up to the largest dimension', () => {
    for (const dimension of [1, 15, 16, 17, 32_767, 32_768]) {
      const low = store('int8', new Float32Array(dimension).fill(-128));
      const high = store('int8', new Float32Array(dimension).fill(127));
      const scores = (metric: VectorMetric) => [
        ...kernel.distances('int8', metric, dimension, low.bytes, [low.bytes, high.bytes], [3]),
      ];
      expect(scores('L2')).toEqual([0, Math.fround(dimension * 255 * 255)]);
      expect(scores('IP')).toEqual([-Math.fround(dimension * 128 * 128), Math.fround(dimension * 127 * 128)]);
      expect(scores('COSINE')).toEqual([-1, 1]);
    }
  });

  it.each(FLOATS)('answers zeros, infinities, NaN, the largest and the smallest values as it says, %s', (elements) => {
    for (const dimension of [1, 2, 4, 5, 8, 9, 16, 21]) {
      const vector = (value: number, rest = 0) => {
        const values = new Float32Array(dimension).fill(rest);
        values[dimension - 1] = value;
        return store(elements, values).bytes;
      };
      const isNarrow = elements === 'f16';
      const largest = isNarrow ? 65_504 : elements === 'bf16' ? (2 - 2 ** -7) * 2 ** 127 : 3.4028234663852886e38;
      const smallest = isNarrow ? 2 ** -24 : elements === 'bf16' ? 2 ** -133 : 2 ** -149;
      const vectors = [0, -0, 1, -largest, smallest, Infinity, -Infinity, Number.NaN].map((value) => vector(value));
      const query = new Float32Array(dimension);
      query[dimension - 1] = 1;
      const scores = (metric: VectorMetric, from: Float32Array = query) => [
        ...kernel.distances(elements, metric, dimension, from, vectors, SHIFTS),
      ];
      const overflow = isNarrow ? 65_505 ** 2 : Infinity;
      const beside = Math.fround((1 - smallest) ** 2);
      expect(scores('L2')).toEqual([1, 1, 0, Math.fround(overflow), beside, Infinity, Infinity, NaN]);
      expect(scores('IP')).toEqual([0, 0, -1, largest, -smallest, -Infinity, Infinity, NaN]);
      // A vector shorter than 2^-126 counts as zero.
      expect(scores('COSINE')).toEqual([0, 0, -1, 1, isNarrow ? -1 : 0, NaN, NaN, NaN]);
      expect(scores('COSINE', new Float32Array(dimension))).toEqual([0, 0, 0, 0, 0, NaN, NaN, NaN]);
      // An infinite value beside others spoils no other vector of the four.
      const mixed = kernel.distances(elements, 'IP', dimension, query, [vector(2, 3), vector(Infinity, 3), vector(4)]);
      expect([...mixed]).toEqual([-2, -Infinity, -4]);
    }
  });

  it.each(FLOATS)('finds the direction of vectors whose squares no float32 can hold, %s', (elements) => {
    const isNarrow = elements === 'f16';
    const sizes = isNarrow ? [1e-7, 65_504] : [1e-37, 1e-30, 1e-22, 1e-21, 1e-20, 1e20, 3e38];
    const query = kernel.normalize(Float32Array.of(1, 2, 0, 0, 2, 0, 0, 0, 0, 0));
    for (const size of sizes) {
      // Along the query, across it, and in between, where holding the cosine within -1 and 1 hides nothing.
      for (const values of [
        Float32Array.of(size / 2, size, 0, 0, size, 0, 0, 0, 0, 0),
        Float32Array.of(0, size, 0, 0, -size, 0, 0, 0, 0, 0),
        Float32Array.of(size, 0, 0, 0, size, size / 3, 0, 0, 0, 0),
      ]) {
        const vector = store(elements, values);
        const [score = Number.NaN] = kernel.distances(elements, 'COSINE', 10, query, [vector.bytes], [1]);
        expect(Math.abs(score - referenceScore('COSINE', query, vector.values))).toBeLessThan(2e-7);
      }
    }
  });

  it('counts no bit beyond the dimension, in either vector', () => {
    for (let dimension = 1; dimension < 140; dimension++) {
      const bytes = new Uint8Array(Math.ceil(dimension / 8)).fill(0xff);
      const none = new Uint8Array(bytes.length);
      const hamming = kernel.distances('bit', 'HAMMING', dimension, none, [bytes, none], SHIFTS);
      expect([...hamming]).toEqual([dimension, 0]);
      expect([...kernel.distances('bit', 'HAMMING', dimension, bytes, [bytes, none])]).toEqual([0, dimension]);
      expect([...kernel.distances('bit', 'JACCARD', dimension, none, [bytes, none], SHIFTS)]).toEqual([1, 0]);
    }
  });

  it('never gives -0', () => {
    for (const [elements, metric] of PAIRS) {
      const zero = store(elements, new Float32Array(9));
      const one = store(elements, Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0));
      const query = queryOf(kernel, elements, metric, zero);
      for (const score of kernel.distances(elements, metric, 9, query, [zero.bytes, one.bytes])) {
        expect(Object.is(score, -0)).toBe(false);
      }
    }
  });
});

describe('both builds', () => {
  it('give the same bits for int8 and bits', async () => {
    const kernels = await Promise.all(WASM_BUILDS.map((build) => KernelVectors.create(build)));
    const random = seededRandom(14);
    for (const [elements, metric] of PAIRS.filter(([name]) => !isFloat(name))) {
      for (const dimension of [1, 9, 33, 100, 777, 20_000]) {
        const vectors = Array.from({ length: 6 }, () => drawStored(random, elements, dimension).bytes);
        const query = drawStored(random, elements, dimension).bytes;
        const [first, second] = kernels.map((kernel) => kernel.distances(elements, metric, dimension, query, vectors));
        expect(second ?? first).toEqual(first);
      }
    }
  });
});
