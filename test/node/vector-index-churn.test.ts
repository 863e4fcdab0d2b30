import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { INDEX_TYPES, type IndexType } from '../../core/vector/segment-index.ts';
import { type SearchResult, VectorIndex, VectorMemory } from '../../wasm/index.ts';
import { ModelIndex } from './vector-index-model.ts';

const DIMENSION = 6;
const IDS = 120;

/** Whole numbers: exact distances are the same however they are summed. */
function vectorOf(seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: DIMENSION }, () => (random() % 201) - 100);
}

const call = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    from: fc.nat({ max: IDS }),
    count: fc.nat({ max: 60 }),
    seed: fc.nat(),
  }),
  fc.record({ do: fc.constant('remove' as const), from: fc.nat({ max: IDS }), count: fc.nat({ max: 25 }) }),
  fc.record({ do: fc.constant('build' as const) }),
  fc.record({ do: fc.constant('step' as const) }),
  fc.record({ do: fc.constant('reload' as const) }),
  fc.record({ do: fc.constant('search' as const), seed: fc.nat(), limit: fc.integer({ min: 1, max: 15 }) }),
);

/** So wide that an approximate index sees everything. */
const WIDE = { ef: 2000, nprobe: 65_536 } as const;

function expectFound(
  found: SearchResult,
  model: ModelIndex,
  expected: { ids: readonly (number | bigint)[]; distances: readonly number[] },
  limit: number,
): void {
  // Equally near ones may come in any order, and either at the end.
  expect([...found.distances]).toEqual(expected.distances.slice(0, limit));
  expect(new Set(found.ids).size).toBe(found.ids.length);
  for (const [at, id] of found.ids.entries()) {
    expect(model.vectors.has(id)).toBe(true);
    expect(expected.distances[expected.ids.indexOf(id)]).toBe(found.distances[at]);
  }
}

describe.each(INDEX_TYPES)('a %s under any calls', (type: IndexType) => {
  it('finds what a map of vectors would, if it looks everywhere', async () => {
    const memory = await VectorMemory.create({ maxBytes: 2 ** 26 });
    const make = (): Promise<VectorIndex> => VectorIndex.create({ type, metric: 'L2', dimension: DIMENSION, memory });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 4, maxLength: 16 }), async (calls) => {
        let index = await make();
        const model = new ModelIndex('L2');
        const search = (seed: number, limit: number): void => {
          const query = vectorOf(seed);
          const options = { limit, ...WIDE, ...(type === 'HNSW' ? {} : { refineK: 2000 }) };
          expectFound(index.search(query, options), model, model.search(query), limit);
          const filter = (id: number | bigint): boolean => BigInt(id) % 3n !== 1n;
          expectFound(index.search(query, { ...options, filter }), model, model.search(query, filter), limit);
        };
        for (const step of calls) {
          if (step.do === 'add') {
            const ids = Array.from({ length: step.count }, (_, at) => step.from + 2 * at);
            const vectors = ids.map((id) => vectorOf(step.seed + id));
            index.add(vectors, ids);
            model.add(vectors, ids);
          } else if (step.do === 'remove') {
            const ids = Array.from({ length: step.count }, (_, at) => step.from + at);
            expect(index.remove(ids)).toBe(model.remove(ids));
          } else if (step.do === 'build') {
            await index.build();
          } else if (step.do === 'step') {
            const stop = new AbortController();
            await index.build({ signal: stop.signal, onProgress: () => stop.abort() }).catch(() => undefined);
          } else if (step.do === 'reload') {
            const saved = index.save();
            index.free();
            index = await VectorIndex.load(saved, { memory });
          } else {
            search(step.seed, step.limit);
          }
          expect(index.size).toBe(model.vectors.size);
        }
        search(1, 10);
        index.free();
      }),
      { numRuns: 60 },
    );
  });
});
