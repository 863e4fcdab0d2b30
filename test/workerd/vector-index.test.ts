import { describe, expect, it } from 'vitest';
import { VectorIndex } from '../../wasm/workerd.ts';

const DIMENSION = 24;

/** The same in every run: a Worker has no files. */
function vectorsOf(count: number): Float32Array {
  return Float32Array.from({ length: count * DIMENSION }, (_, at) => Math.sin(at * 1.7) + Math.cos(at * at));
}

describe('a VectorIndex in workerd', () => {
  it('finds its imported module, builds in slices though no clock runs, and loads what it saved', async () => {
    const index = await VectorIndex.create({ type: 'FLAT', metric: 'COSINE', dimension: DIMENSION });
    const vectors = vectorsOf(500);
    index.add(vectors);
    await index.build();
    const query = vectors.subarray(7 * DIMENSION, 8 * DIMENSION);
    const found = index.search(query, { limit: 3, filter: (id) => id !== 9 });
    expect(found.ids[0]).toBe(7);
    expect(found.distances[0]).toBeCloseTo(1, 6);
    using loaded = await VectorIndex.load(index.save());
    expect(loaded.search(query, { limit: 3, filter: (id) => id !== 9 })).toEqual(found);
    const refined = await loaded.searchAsync(query, { limit: 3, refine: async (ids) => pick(vectors, ids) });
    expect(refined.ids[0]).toBe(7);
    index.free();
  });
});

function pick(vectors: Float32Array, ids: Float64Array): Float32Array {
  const picked = new Float32Array(ids.length * DIMENSION);
  for (const [at, id] of ids.entries()) {
    picked.set(vectors.subarray(id * DIMENSION, (id + 1) * DIMENSION), at * DIMENSION);
  }
  return picked;
}
