import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { VectorIndex } from '../../wasm/index.ts';

const random = seededRandom(5);
const reals = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() / 2 ** 31 - 1);
const OPTIONS = { type: 'FLAT', metric: 'L2', dimension: 8 } as const;

describe('a VectorIndex in a worker of Node', () => {
  it('answers as one in this thread does', async () => {
    const vectors = reals(8 * 300);
    using here = await VectorIndex.create(OPTIONS);
    using there = await VectorIndex.createInWorker(OPTIONS);
    const ids = Array.from({ length: 300 }, (_, at) => 2 * at);
    here.add(vectors, ids);
    await there.add(vectors, ids);
    expect(vectors.length).toBe(8 * 300);
    expect([await there.size, await there.pending, await there.bytes]).toEqual([300, 0, here.bytes]);
    const query = reals(8);
    const filter = Uint8Array.of(255, 0, 255, 255);
    expect(await there.search(query, { limit: 4, filter })).toEqual(here.search(query, { limit: 4, filter }));
    expect(await there.searchMany(reals(24), { limit: 2 })).toMatchObject({
      limit: 2,
      counts: Uint32Array.of(2, 2, 2),
    });
    expect(await there.searchRange(query, { radius: 2 })).toEqual(here.searchRange(query, { radius: 2 }));
    const refine = (asked: Float64Array): Float32Array =>
      Float32Array.from([...asked].flatMap((id) => [...vectors.subarray(4 * id, 4 * id + 8)].map((value) => -value)));
    const options = { limit: 3, refineK: 300 };
    expect(await there.search(query, { ...options, refine: async (asked) => refine(asked) })).toEqual(
      here.search(query, { ...options, refine }),
    );
    const cursor = await there.cursor(query);
    using plain = here.cursor(query);
    for (const count of [3, 5]) expect(await cursor.next(count)).toEqual(plain.next(count));
    await cursor.free();
    expect([await there.remove([2, 4, 5]), here.remove([2, 4, 5])]).toEqual([2, 2]);
    await there.build();
    const saved = await there.save();
    expect(saved).toEqual(here.save());
    using loaded = await VectorIndex.loadInWorker(saved);
    expect(await loaded.search(query, { limit: 4 })).toEqual(here.search(query, { limit: 4 }));
  });

  it('carries errors whole, moves what it is told to move, and ends', async () => {
    const index = await VectorIndex.createInWorker(OPTIONS);
    await expect(index.add(new Float32Array(7))).rejects.toMatchObject({
      code: 'invalid',
      details: { argument: 'vectors' },
    });
    await expect(index.search(reals(8), { limit: 1, filter: () => true })).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      index.search(reals(8), { limit: 1, refine: () => Promise.reject(new Error('no disk')) }),
    ).rejects.toThrow('no disk');
    const moved = reals(80);
    await index.add(moved, undefined, { transfer: true });
    expect(moved.length).toBe(0);
    const part = reals(80).subarray(8, 24);
    await index.add(part, undefined, { transfer: true });
    expect([part.length, await index.size]).toEqual([16, 12]);
    const waiting = index.search(reals(8), { limit: 1 });
    index.free();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await expect(index.size).rejects.toMatchObject({ code: 'closed' });
    await expect(VectorIndex.createInWorker({ ...OPTIONS, dimension: 0 })).rejects.toMatchObject({ code: 'invalid' });
  });
});
