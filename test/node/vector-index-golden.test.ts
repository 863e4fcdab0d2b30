import { describe, expect, it } from 'vitest';
import { VectorIndex } from '../../wasm/index.ts';
import { GOLDEN_QUERIES, GOLDEN_SEARCH, type GoldenIndex, goldenIndexes, goldenVectors } from '../golden/index-v1.ts';
import { nodeModule, WASM_BUILDS } from './kernel.ts';

const GOLDEN = await goldenIndexes();

describe.each(GOLDEN)('the saved index of format 1 and type $type', ({ type, bytes, answers }) => {
  it.each(WASM_BUILDS)('is read, searched, built on and saved as it was, %s', async (build) => {
    using index = await VectorIndex.load(bytes, { module: await nodeModule(build) });
    expect(index.spec).toMatchObject({ type, metric: 'L2', dimension: 16, seed: 1 });
    expect([index.size, index.pending > 0]).toEqual([196, type !== 'FLAT']);
    expect(index.save()).toEqual(bytes);
    expectAnswers(index, answers);
    await index.build();
    expect(index.pending).toBe(0);
    expectAnswers(index, answers);
    expect(index.remove([21, 24, 24, 0])).toBe(2);
  });
});

function expectAnswers(index: VectorIndex, answers: GoldenIndex['answers']): void {
  for (const refine of [undefined, goldenVectors]) {
    const options = refine === undefined ? GOLDEN_SEARCH : { ...GOLDEN_SEARCH, refine };
    const found = index.searchMany(GOLDEN_QUERIES, options);
    for (const [query, { ids, distances }] of answers.entries()) {
      const from = query * found.limit;
      expect([...found.ids.subarray(from, from + found.counts[query]!)]).toEqual(ids);
      expect([...found.distances.subarray(from, from + found.counts[query]!)]).toEqual(distances);
    }
  }
}
