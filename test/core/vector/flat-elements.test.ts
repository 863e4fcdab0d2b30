import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import {
  ELEMENT_TYPES,
  type ElementType,
  isLargerNearerBy,
  isMetricOf,
  type VectorMetric,
  vectorBytes,
} from '../../../core/vector/element.ts';
import { nodeKernel, WASM_BUILDS } from '../../node/kernel.ts';
import { KernelVectors } from './kernel-vectors.ts';
import { bitmapOf } from './reference.ts';
import { referenceDecode } from './reference-elements.ts';

/** FLAT over other elements than float32: the ranking is that of `distances`, which has tests of its own. */

const METRICS: readonly VectorMetric[] = ['L2', 'IP', 'COSINE', 'HAMMING', 'JACCARD'];
const OTHERS: readonly ElementType[] = ELEMENT_TYPES.filter((elements) => elements !== 'f32');
const PAIRS = OTHERS.flatMap((elements) =>
  METRICS.filter((metric) => isMetricOf(elements, metric)).map((metric) => [elements, metric] as const),
);

/** Values that the elements can hold: few different ones, so that there are ties. */
function draw(random: () => number, elements: ElementType, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    if (elements === 'bit') return random() % 2;
    if (elements === 'int8') return (random() % 256) - 128;
    return random() % 3 === 0 ? 0 : ((random() % 64) - 32) / 16;
  });
}

function rowsOf(values: Float32Array, dimension: number): Float32Array[] {
  return Array.from({ length: values.length / dimension }, (_, row) =>
    values.subarray(row * dimension, (row + 1) * dimension),
  );
}

describe.each(WASM_BUILDS)('FLAT over all elements, %s build', async (build) => {
  const kernel = await nodeKernel(undefined, build);
  const vectors = await KernelVectors.create(build);

  it.each(PAIRS)('finds the nearest allowed rows of a snapshot, ties by row: %s %s', (elements, metric) => {
    const given = fc.record({
      seed: fc.integer(),
      dimension: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 100, 384)),
      // More than a block of the scan, too.
      size: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1024, 1025, 1300)),
      queries: fc.integer({ min: 1, max: 5 }),
      limit: fc.integer({ min: 1, max: 40 }),
      density: fc.integer({ min: 1, max: 4 }),
      isStored: fc.boolean(),
    });
    fc.assert(
      fc.property(given, ({ seed, dimension, size, queries: queryCount, limit, density, isStored }) => {
        const random = seededRandom(seed);
        const values = draw(random, elements, size * dimension);
        const queries = draw(random, elements, queryCount * dimension);
        const stored = rowsOf(values, dimension).map((row) => vectors.encode(elements, row));
        using flat = kernel.flat(dimension, metric, elements);
        const half = size >> 1;
        flat.append(values.subarray(0, half * dimension));
        flat.append(isStored ? joined(stored.slice(half)) : values.subarray(half * dimension));
        expect(flat.size).toBe(size);
        const count = size - (random() % Math.min(size, 4));
        const isAllowed = (row: number) => density === 4 || row % density === 0;
        const taken = isStored && queryCount % 2 === 1 ? joined(rowsOf(queries, dimension).map(encoded)) : queries;
        const found = flat.search(taken, limit, { allow: bitmapOf(size, isAllowed), count });
        rowsOf(queries, dimension).forEach((query, index) => {
          const scores = vectors.distances(elements, metric, dimension, queryOf(query), stored);
          const expected = [...scores]
            .map((score, row) => ({ row, score }))
            .filter(({ row }) => row < count && isAllowed(row))
            .sort((a, b) => a.score - b.score || a.row - b.row)
            .slice(0, limit);
          expect(found.counts[index]).toBe(expected.length);
          const start = index * limit;
          expect([...found.rows.subarray(start, start + expected.length)]).toEqual(expected.map(({ row }) => row));
          const distances = expected.map(({ score }) => (isLargerNearerBy(metric) ? 0 - score : score));
          expect([...found.distances.subarray(start, start + expected.length)]).toEqual(distances);
        });
      }),
      { numRuns: 25 },
    );
    expect(kernel.bytes).toBe(0);

    function encoded(row: Float32Array): Uint8Array {
      return vectors.encode(elements, row);
    }
    function queryOf(row: Float32Array): Float32Array | Uint8Array {
      if (elements === 'int8' || elements === 'bit') return encoded(row);
      return metric === 'COSINE' ? vectors.normalize(row) : row;
    }
  });

  it.each(OTHERS)('keeps what it stores, in values and in bytes, across chunks: %s', (elements) => {
    const random = seededRandom(3);
    const metric = elements === 'bit' ? 'HAMMING' : 'COSINE';
    for (const dimension of [1, 9, 1000, 32_768]) {
      const rowBytes = vectorBytes(elements, dimension);
      const size = Math.ceil(2.3 * Math.max(3, (1024 * 1024) / rowBytes / (dimension === 1 ? 16 : 1)));
      const partRows = dimension > 1000 ? 20 : 500;
      const part = draw(random, elements, partRows * dimension);
      using flat = kernel.flat(dimension, metric, elements);
      for (let row = 0; row < size; row += partRows)
        flat.append(part.subarray(0, Math.min(partRows, size - row) * dimension));
      expect(flat.size).toBe(size);
      const bytes = flat.readBytes(0, Math.min(partRows, size));
      const first = joined(
        rowsOf(part, dimension)
          .slice(0, Math.min(partRows, size))
          .map((row) => vectors.encode(elements, row)),
      );
      expect(bytes).toEqual(first);
      const last = size - 1;
      const ofLast = first.subarray((last % partRows) * rowBytes, ((last % partRows) + 1) * rowBytes);
      expect(flat.readBytes(last, size)).toEqual(ofLast);
      expect(flat.read(last)).toEqual(referenceDecode(elements, ofLast, dimension));
      const two = flat.readMany(Uint32Array.of(last, 0));
      expect(two.subarray(0, dimension)).toEqual(flat.read(last));
      expect(two.subarray(dimension)).toEqual(flat.readRange(0, 1));
      // Nothing but the rows: no lengths, and a header a chunk.
      expect(flat.bytes).toBeLessThanOrEqual(2 * size * rowBytes + 4096);
    }
    expect(kernel.bytes).toBe(0);
  });

  it.each([
    ['int8', [0.5, 128, -129, Number.NaN, Number.POSITIVE_INFINITY]],
    ['bit', [2, -1, 0.5, Number.NaN]],
  ] as const)('refuses a value that %s cannot hold, and changes nothing', (elements, wrong) => {
    using flat = kernel.flat(8, elements === 'bit' ? 'HAMMING' : 'L2', elements);
    flat.append(new Float32Array(8));
    for (const value of wrong) {
      const rows = new Float32Array(24);
      rows[13] = value;
      const refused = expect.objectContaining({ code: 'invalid', details: { elements, value } });
      expect(() => flat.append(rows)).toThrow(refused);
      expect(() => flat.search(rows, 1)).toThrow(refused);
    }
    expect(flat.size).toBe(1);
    expect(flat.search(new Float32Array(8), 1).counts).toEqual(Uint32Array.of(1));
  });

  it('refuses a metric that is not one of the elements', () => {
    expect(() => kernel.flat(8, 'HAMMING')).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => kernel.flat(8, 'L2', 'bit')).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

describe('the budget', () => {
  it('has no room for a conversion: nothing has changed, and stored rows still go in', async () => {
    const small = await nodeKernel(2 * 65_536);
    const flat = small.flat(4096, 'IP', 'f16');
    flat.append(new Uint8Array(3 * 8192));
    const { bytes } = small;
    expect(() => flat.append(new Float32Array(5 * 4096))).toThrow(expect.objectContaining({ code: 'quota' }));
    expect(small.bytes).toBe(bytes);
    expect(flat.size).toBe(3);
    flat.append(new Uint8Array(8192));
    expect(flat.size).toBe(4);
    flat.free();
    expect(small.bytes).toBe(0);
  });
});

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
