import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import type { FlatVectors } from '../../../core/vector/kernel.ts';
import { nodeKernel, WASM_BUILDS } from '../../node/kernel.ts';

const MEBIBYTE = 1024 * 1024;

/** Rows that say who wrote them: a foreign write shows. */
function marked(owner: number, from: number, count: number, dimension: number): Float32Array {
  return Float32Array.from({ length: count * dimension }, (_, index) => owner * 1000 + from * dimension + index);
}

describe.each(WASM_BUILDS)('the byte budget, %s build', async (build) => {
  it('gives every byte back, in whatever order vectors grow and go, and never lets two share a byte', async () => {
    const kernel = await nodeKernel(8 * MEBIBYTE, build);
    const step = fc.record({
      owner: fc.nat(7),
      rows: fc.constantFrom(0, 1, 2, 3, 17, 300, 5000),
      isFree: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 3, 4, 33, 768), (steps, dimension) => {
        const live = new Map<number, FlatVectors>();
        for (const { owner, rows, isFree } of steps) {
          const flat = live.get(owner) ?? kernel.flat(dimension, owner % 2 === 0 ? 'COSINE' : 'L2');
          live.set(owner, flat);
          if (isFree) {
            flat.free();
            flat.free();
            live.delete(owner);
          } else {
            const before = flat.size;
            try {
              flat.append(marked(owner, before, rows, dimension));
            } catch (error) {
              expect(error).toMatchObject({ code: 'quota' });
              expect(flat.size).toBe(before);
            }
          }
          expect(kernel.bytes).toBe([...live.values()].reduce((sum, { bytes }) => sum + bytes, 0));
          expect(kernel.bytesReserved).toBeLessThanOrEqual(kernel.bytesMax);
        }
        for (const [owner, flat] of live) {
          expect(flat.readRange(0, flat.size)).toEqual(marked(owner, 0, flat.size, dimension));
          flat.free();
        }
        expect(kernel.bytes).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('reuses what was freed: a hundred rounds reserve no more than the first', async () => {
    const kernel = await nodeKernel(64 * MEBIBYTE, build);
    const random = seededRandom(5);
    const round = () => {
      const flats = Array.from({ length: 8 }, () => kernel.flat(96, 'COSINE'));
      for (const flat of flats) flat.append(new Float32Array(96 * 2000));
      for (const flat of flats) flat.search(new Float32Array(96 * 3), 10);
      while (flats.length > 0) flats.splice(random() % flats.length, 1)[0]!.free();
    };
    round();
    const reserved = kernel.bytesReserved;
    for (let count = 0; count < 100; count++) round();
    expect(kernel.bytesReserved).toBe(reserved);
    expect(kernel.bytes).toBe(0);
  });

  it.each([true, false])(
    'joins what was freed, in any order, into room for one large chunk (last block kept: %s)',
    async (isLastKept) => {
      const kernel = await nodeKernel(64 * MEBIBYTE, build);
      const random = seededRandom(6);
      const flats = Array.from({ length: 300 }, () => kernel.flat(1024, 'L2'));
      for (const flat of flats) flat.append(new Float32Array(1024));
      const kept = kernel.flat(1024, 'L2');
      kept.append(new Float32Array(1024));
      const reserved = kernel.bytesReserved;
      if (!isLastKept) kept.free();
      while (flats.length > 0) flats.splice(random() % flats.length, 1)[0]!.free();
      const large = kernel.flat(1024, 'L2');
      large.append(new Float32Array(1024 * 256));
      expect(kernel.bytesReserved).toBe(reserved);
    },
  );

  it('lets a smaller one than what comes next grow in its place, if it was the last', async () => {
    const kernel = await nodeKernel(64 * MEBIBYTE, build);
    const first = kernel.flat(1024, 'L2');
    first.append(new Float32Array(1024 * 180));
    first.free();
    kernel.flat(1024, 'L2').append(new Float32Array(1024 * 256));
    expect(kernel.bytesReserved).toBeLessThan(MEBIBYTE + 2 * 65_536);
  });

  it('searches rows that end where the memory ends', async () => {
    const kernel = await nodeKernel(2 * 65_536, build);
    const room = kernel.flat(512, 'L2');
    room.append(new Float32Array(512));
    const flat = kernel.flat(1, 'L2');
    for (let size = 32_768; flat.size === 0; size--) {
      try {
        flat.append(new Float32Array(size).fill(1));
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota' });
      }
    }
    room.free();
    expect(flat.search(Float32Array.of(3), 1).distances[0]).toBe(4);
  });

  it('refuses what would pass the budget before it allocates, changes nothing, and goes on working', async () => {
    const kernel = await nodeKernel(2 * MEBIBYTE, build);
    expect(kernel.bytesMax).toBe(2 * MEBIBYTE);
    const flat = kernel.flat(256, 'L2');
    const other = kernel.flat(256, 'L2');
    other.append(marked(2, 0, 200, 256));
    const row = (index: number) => new Float32Array(256).fill(index);
    const fill = () => {
      while (true) flat.append(row(flat.size));
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'quota', milvusCode: 7 }));
    const { size } = flat;
    const { bytes } = kernel;
    // 2 MiB without the page of the module, the other rows, and what no chunk is small enough for.
    expect(size).toBeGreaterThan(2048 - 64 - 200 - 40);
    expect(() => flat.append(new Float32Array(256 * 5000))).toThrow(
      expect.objectContaining({
        code: 'quota',
        details: { bytes: 5_120_000, bytesUsed: bytes, bytesMax: 2 * MEBIBYTE },
      }),
    );
    expect(kernel.bytes).toBe(bytes);
    expect(flat.size).toBe(size);
    expect([...flat.search(row(700.2), 3).rows]).toEqual([700, 701, 699]);
    other.free();
    flat.append(row(size));
    expect([...flat.search(row(size), 1).rows]).toEqual([size]);
    flat.free();
    expect(kernel.bytes).toBe(0);
  });

  it('refuses a search that has no room for its heaps, and answers a smaller one', async () => {
    const kernel = await nodeKernel(MEBIBYTE, build);
    const flat = kernel.flat(1, 'L2');
    flat.append(Float32Array.from({ length: 230_000 }, (_, index) => index));
    expect(() => flat.search(Float32Array.of(5), 16_384)).toThrow(expect.objectContaining({ code: 'quota' }));
    expect([...flat.search(Float32Array.of(5), 2).rows]).toEqual([5, 4]);
    expect(kernel.bytes).toBe(flat.bytes);
  });

  it('takes no memory before the first row, and none to spare for rows that come in one call', async () => {
    const kernel = await nodeKernel(64 * MEBIBYTE, build);
    const flat = kernel.flat(100, 'IP');
    expect(kernel.bytes).toBe(0);
    flat.append(new Float32Array(100 * 10_000));
    expect(flat.bytes).toBeGreaterThanOrEqual(4_000_000);
    expect(flat.bytes).toBeLessThan(4_000_000 + 1000);
    for (let row = 0; row < 5000; row++) flat.append(new Float32Array(100));
    expect(flat.bytes).toBeLessThan(6_000_000 + 1000 + MEBIBYTE);
  });

  it('refuses a budget without room for the module itself', async () => {
    await expect(nodeKernel(65_535, build)).rejects.toMatchObject({ code: 'invalid' });
  });
});
