import { describe, expect, it } from 'vitest';
import { VectorIndex, type WorkerVectorIndex } from '../../wasm/index.ts';
import workerUrl from '../../wasm/vector-worker-entry.ts?worker&url';

const DIMENSION = 32;
const OPTIONS = { type: 'FLAT', metric: 'COSINE', dimension: DIMENSION, wasmUrl: '/dist/wasm/' } as const;

/** The same in every run. */
const VECTORS = Float32Array.from({ length: 2000 * DIMENSION }, (_, at) => Math.sin(at * 1.7) + Math.cos(at * at));
const QUERY = VECTORS.slice(7 * DIMENSION, 8 * DIMENSION);

describe('a VectorIndex in Chromium', () => {
  it('fetches its module, builds between frames, and loads what it saved', async () => {
    using index = await VectorIndex.create(OPTIONS);
    index.add(VECTORS);
    await index.build();
    const found = index.search(QUERY, { limit: 3 });
    expect(found.ids[0]).toBe(7);
    using loaded = await VectorIndex.load(index.save(), { wasmUrl: '/dist/wasm/' });
    expect(loaded.search(QUERY, { limit: 3 })).toEqual(found);
  });

  it('says where it looked for a module that is not there, and tries again when asked again', async () => {
    const wasmUrl = '/dist/wasm/nowhere/';
    for (const _ of [1, 2]) {
      await expect(VectorIndex.create({ ...OPTIONS, wasmUrl })).rejects.toMatchObject({
        code: 'unavailable',
        details: { url: expect.stringContaining(wasmUrl) as string },
      });
    }
  });

  it('answers the same from a worker', async () => {
    using here = await VectorIndex.create(OPTIONS);
    here.add(VECTORS);
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
