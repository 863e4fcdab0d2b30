import { describe, expect, it } from 'vitest';
import { VectorIndex, type WorkerVectorIndex } from '../../wasm/index.ts';
import workerUrl from '../../wasm/vector-worker-entry.ts?worker&url';
import { describeVectorIndex } from '../conformance/vector-index.ts';

const DIMENSION = 32;
const wasmUrl = '/dist/wasm/';
const OPTIONS = { type: 'HNSW_SQ8', metric: 'COSINE', dimension: DIMENSION, wasmUrl } as const;

/** The same in every run. */
const VECTORS = Float32Array.from({ length: 2000 * DIMENSION }, (_, at) => Math.sin(at * 1.7) + Math.cos(at * at));
const QUERY = VECTORS.slice(7 * DIMENSION, 8 * DIMENSION);

describe('a VectorIndex in Chromium', () => {
  describeVectorIndex({
    create: (options) => VectorIndex.create({ ...options, wasmUrl }),
    load: (bytes) => VectorIndex.load(bytes, { wasmUrl }),
  });

  it('says where it looked for a module that is not there, and tries again when asked again', async () => {
    const nowhere = '/dist/wasm/nowhere/';
    for (const _ of [1, 2]) {
      await expect(VectorIndex.create({ ...OPTIONS, wasmUrl: nowhere })).rejects.toMatchObject({
        code: 'unavailable',
        details: { url: expect.stringContaining(nowhere) as string },
      });
    }
  });

  it('answers the same from a worker', async () => {
    using here = await VectorIndex.create(OPTIONS);
    here.add(VECTORS);
    await here.build();
    const there: WorkerVectorIndex = await VectorIndex.createInWorker({ ...OPTIONS, workerUrl });
    await there.add(VECTORS);
    await there.build();
    expect(await there.search(QUERY, { limit: 3 })).toEqual(here.search(QUERY, { limit: 3 }));
    expect(await there.save()).toEqual(here.save());
    await expect(there.add(new Float32Array(3))).rejects.toMatchObject({ code: 'invalid' });
    there.free();
    const elsewhere = VectorIndex.createInWorker({ ...OPTIONS, workerUrl: '/dist/wasm/no-worker.js' });
    await expect(elsewhere).rejects.toMatchObject({ code: 'unavailable' });
  });
});
