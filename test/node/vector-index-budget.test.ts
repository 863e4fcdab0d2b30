import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { INDEX_TYPES } from '../../core/vector/segment-index.ts';
import { VectorIndex, VectorMemory } from '../../wasm/index.ts';

const DIMENSION = 24;
const BATCH = 220;

const random = seededRandom(31);
const reals = (rows: number): Float32Array =>
  Float32Array.from({ length: rows * DIMENSION }, () => random() / 2 ** 31 - 1);
const VECTORS = reals(BATCH * 40);
const QUERIES = reals(3);

/** What all searches of a memory share may stay when an index is freed: marks, a byte a row. */
const SHARED_BYTES = 16 * 1024;

async function outcomeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return codeOf(error);
  }
}

describe.each(INDEX_TYPES)('a budget that is too small for a %s', (type) => {
  it.each([320, 500, 700])('is never passed, and the index works on: %i KiB', async (kilobytes) => {
    const memory = await VectorMemory.create({ maxBytes: kilobytes * 1024 });
    const empty = memory.bytes;
    const index = await VectorIndex.create({ type, metric: 'COSINE', dimension: DIMENSION, memory });
    const outcomes = new Set<string>();
    let added = 0;
    for (let batch = 0; batch < 40; batch++) {
      const rows = VECTORS.subarray(batch * BATCH * DIMENSION, (batch + 1) * BATCH * DIMENSION);
      const before = { size: index.size, bytes: index.bytes };
      const adding = await outcomeOf(() => index.add(rows));
      outcomes.add(adding);
      if (adding === 'done') added += BATCH;
      else expect({ size: index.size, bytes: index.bytes }).toEqual(before);
      expect(index.size).toBe(added);
      if (batch % 3 === 1) outcomes.add(await outcomeOf(() => index.build({ sliceMs: 5 })));
      const searching = await outcomeOf(() => index.searchMany(QUERIES, { limit: 10 }));
      outcomes.add(searching);
      expect(memory.bytesReserved).toBeLessThanOrEqual(memory.maxBytes);
      if (adding !== 'done' && batch > 30) break;
    }
    expect([...outcomes].sort()).toEqual(['done', 'quota']);
    const { bytes } = index;
    expect(memory.bytes).toBeGreaterThanOrEqual(bytes);
    // What the others need is there again, and so is what this one was.
    index.free();
    expect(memory.bytes - empty).toBeLessThan(SHARED_BYTES);
    const again = await VectorIndex.create({ type, metric: 'COSINE', dimension: DIMENSION, memory });
    again.add(VECTORS.subarray(0, 100 * DIMENSION));
    await again.build();
    expect(again.search(VECTORS.subarray(0, DIMENSION), { limit: 1 }).ids[0]).toBe(0);
    again.free();
  });

  it('is never passed by loading either, at any budget', async () => {
    using source = await VectorIndex.create({ type, metric: 'L2', dimension: DIMENSION });
    source.add(VECTORS.subarray(0, 600 * DIMENSION));
    await source.build();
    source.remove([3]);
    const saved = source.save();
    const outcomes = new Set<string>();
    for (let kilobytes = 64; kilobytes <= 576; kilobytes += 64) {
      const memory = await VectorMemory.create({ maxBytes: kilobytes * 1024 });
      const empty = memory.bytes;
      const outcome = await outcomeOf(async () => {
        using loaded = await VectorIndex.load(saved, { memory });
        expect(loaded.save()).toEqual(saved);
      });
      outcomes.add(outcome);
      expect(memory.bytes - empty, `${kilobytes} KiB`).toBeLessThan(SHARED_BYTES);
    }
    expect([...outcomes].sort()).toEqual(['done', 'quota']);
  });
});
