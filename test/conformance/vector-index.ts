import { expect, it } from 'vitest';
import { equalBytes } from '../../core/base/bytes.ts';
import { seededRandom } from '../../core/base/random.ts';
import type { IndexType } from '../../core/vector/segment-index.ts';
import type { VectorIndex, VectorIndexOptions } from '../../wasm/index.ts';

const ROWS = 600;
const DIMENSION = 24;
const TYPES: readonly IndexType[] = ['FLAT', 'HNSW_SQ8', 'HNSW_RABITQ', 'IVF_PQ', 'SCANN'];

const random = seededRandom(77);
const VECTORS = Float32Array.from({ length: ROWS * DIMENSION }, () => random() / 2 ** 31 - 1);

function vectorsOf(ids: Float64Array): Float32Array {
  const vectors = new Float32Array(ids.length * DIMENSION);
  for (const [at, id] of ids.entries()) {
    vectors.set(VECTORS.subarray(id * DIMENSION, (id + 1) * DIMENSION), at * DIMENSION);
  }
  return vectors;
}

/** `elanus/vector` as a host has it: the same suite runs in each. */
export interface VectorIndexHost {
  create(options: Pick<VectorIndexOptions, 'type' | 'metric' | 'dimension'>): Promise<VectorIndex>;
  load(bytes: Uint8Array): Promise<VectorIndex>;
}

/** What must hold in every host: builds that leave room for others, blobs, exact vectors from elsewhere. */
export function describeVectorIndex(host: VectorIndexHost): void {
  it.each(TYPES)(
    '%s is built while others have their turn, saved midway and at the end, and found in',
    async (type) => {
      using index = await host.create({ type, metric: 'COSINE', dimension: DIMENSION });
      index.add(VECTORS);
      let turns = 0;
      let isDone = false;
      const others = (async () => {
        for (; !isDone; turns++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
      })();
      const progress: number[] = [];
      let midway: Uint8Array | undefined;
      await index.build({
        sliceMs: 1,
        onProgress: ({ done, total }) => {
          progress.push(total - done);
          if (done < total) midway = index.save();
        },
      });
      const turnsWhileBuilding = turns;
      isDone = true;
      await others;
      expect(type === 'FLAT' || (turnsWhileBuilding > 0 && progress.at(-1) === 0)).toBe(true);
      const saved = index.save();
      if (midway !== undefined) {
        using resumed = await host.load(midway);
        await resumed.build();
        expect(equalBytes(resumed.save(), saved)).toBe(true);
      }
      using loaded = await host.load(saved);
      for (let row = 0; row < ROWS; row += 50) {
        const query = VECTORS.subarray(row * DIMENSION, (row + 1) * DIMENSION);
        const found = loaded.search(query, { limit: 5 });
        expect(found.ids[0]).toBe(row);
        expect(found.distances[0]).toBeCloseTo(1, 5);
        expect(index.search(query, { limit: 5 })).toEqual(found);
        const later = await loaded.searchAsync(query, { limit: 5, refine: async (ids) => vectorsOf(ids) });
        expect(later.ids[0]).toBe(row);
      }
    },
  );

  it('a build that is stopped goes on when it is called again', async () => {
    using index = await host.create({ type: 'HNSW_SQ8', metric: 'L2', dimension: DIMENSION });
    index.add(VECTORS);
    const stop = new AbortController();
    const stopped = index.build({ sliceMs: 1, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted', name: 'AbortError' });
    expect(index.pending).toBeGreaterThan(0);
    expect(index.search(VECTORS.subarray(0, DIMENSION), { limit: 1 }).ids[0]).toBe(0);
    await index.build();
    expect(index.pending).toBe(0);
  });
}
