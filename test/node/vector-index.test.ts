import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { METRICS } from '../../core/model/metric.ts';
import { VectorIndex, VectorMemory } from '../../wasm/index.ts';
import { ModelIndex } from './vector-index-model.ts';

type AnyIndex = VectorIndex<Float64Array<ArrayBuffer>> | VectorIndex<BigUint64Array<ArrayBuffer>>;

/** Small whole numbers: distances are exact in float32, and so are ties. */
const vector = (dimension: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.integer({ min: -4, max: 4 }), { minLength: dimension, maxLength: dimension })
    .map((values) => Float32Array.from(values));

const DIMENSION = 5;
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), items: fc.array(fc.tuple(fc.nat({ max: 30 }), vector(DIMENSION))) }),
    fc.record({ do: fc.constant('remove' as const), ids: fc.array(fc.nat({ max: 40 }), { maxLength: 5 }) }),
    fc.record({ do: fc.constant('search' as const), query: vector(DIMENSION), limit: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ do: fc.constant('save' as const) }),
    fc.record({ do: fc.constant('build' as const) }),
  ),
  { maxLength: 25 },
);

describe.each(METRICS)('a FLAT VectorIndex with %s does what a map would', (metric) => {
  it.each(['numbers', 'bigints'] as const)('under any calls, with ids that are %s', async (kind) => {
    const memory = await VectorMemory.create({ maxBytes: 2 ** 24 });
    await fc.assert(
      fc.asyncProperty(steps, async (calls) => {
        let index = (await VectorIndex.create({ type: 'FLAT', metric, dimension: DIMENSION, memory })) as AnyIndex;
        const model = new ModelIndex(metric);
        const idOf = (id: number): number | bigint => (kind === 'bigints' ? BigInt(id) * 2n ** 58n : id * 3);
        const given = (ids: readonly number[]): never =>
          (kind === 'bigints' ? BigUint64Array.from(ids.map(idOf) as bigint[]) : ids.map(idOf)) as never;
        for (const call of calls) {
          if (call.do === 'add') {
            const vectors = call.items.map(([, values]) => values);
            const ids = call.items.map(([id]) => id);
            index.add(vectors, given(ids));
            model.add(vectors, ids.map(idOf));
          } else if (call.do === 'remove') {
            expect(index.remove(given(call.ids))).toBe(model.remove(call.ids.map(idOf)));
          } else if (call.do === 'save') {
            const saved = index.save();
            index.free();
            index = (await VectorIndex.load(saved, { memory })) as AnyIndex;
            expect(index.save()).toEqual(saved);
          } else if (call.do === 'build') {
            await index.build();
          } else {
            expectSearches(index as VectorIndex, model, call.query, call.limit);
          }
          expect(index.size).toBe(model.vectors.size);
        }
        index.free();
        expect(memory.bytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  function expectSearches(index: VectorIndex, model: ModelIndex, query: Float32Array, limit: number): void {
    const nearest = (isAllowed?: (id: number | bigint) => boolean) => {
      const { ids, distances } = model.search(query, isAllowed);
      return { ids: ids.slice(0, limit), distances: distances.slice(0, limit) };
    };
    const plain = ({ ids, distances }: { ids: Iterable<number>; distances: Iterable<number> }) => {
      return { ids: [...ids], distances: [...distances] };
    };
    const same = (found: ReturnType<typeof plain>, expected: ReturnType<typeof nearest>): void => {
      if (metric !== 'COSINE') expect(found).toEqual(expected);
      // Cosines are rounded: equal ones may change places.
      expect(found.distances.length).toBe(expected.distances.length);
      for (const [at, distance] of found.distances.entries()) expect(distance).toBeCloseTo(expected.distances[at]!, 5);
    };
    same(plain(index.search(query, { limit })), nearest());
    const isEven = (id: number | bigint): boolean => BigInt(id) % 2n === 0n;
    same(plain(index.search(query, { limit, filter: isEven })), nearest(isEven));
    const bitmap = Uint8Array.of(0b1010_1011, 0, 255);
    const isSet = (id: number | bigint): boolean => id < 24 && (bitmap[Number(id) >> 3]! & (1 << (Number(id) & 7))) > 0;
    same(plain(index.search(query, { limit, filter: bitmap })), nearest(isSet));
    const two = new Float32Array(2 * query.length);
    two.set(query, query.length);
    const many = index.searchMany(two, { limit });
    const from = many.limit;
    const to = from + many.counts[1]!;
    same(plain({ ids: many.ids.slice(from, to), distances: many.distances.slice(from, to) }), nearest());
    expect([...many.distances.slice(to)].every((distance) => distance === 0)).toBe(true);
    const cursor = index.cursor(query);
    const pages = Array.from({ length: 20 }, () => plain(cursor.next(3)));
    const all = model.search(query);
    same({ ids: pages.flatMap(({ ids }) => ids), distances: pages.flatMap(({ distances }) => distances) }, all);
    const radius = all.distances[Math.min(limit, all.distances.length) - 1] ?? 0;
    const within = all.distances.filter((distance) => (metric === 'L2' ? distance <= radius : distance >= radius));
    if (metric !== 'COSINE') expect([...index.searchRange(query, { radius }).distances]).toEqual(within);
  }
});

const random = seededRandom(3);
const reals = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() / 2 ** 31 - 1);

describe('a VectorIndex', () => {
  it('ranks by vectors that are handed in, at once or later', async () => {
    using index = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 4 });
    const rough = reals(400);
    const exact = reals(400);
    index.add(
      rough,
      Array.from({ length: 100 }, (_, at) => 1000 - at),
    );
    const asked: number[][] = [];
    const refine = (ids: Float64Array): Float32Array => {
      asked.push([...ids]);
      return Float32Array.from([...ids].flatMap((id) => [...exact.subarray(4 * (1000 - id), 4 * (1000 - id) + 4)]));
    };
    const model = new ModelIndex('L2');
    model.add(
      Array.from({ length: 100 }, (_, at) => exact.subarray(4 * at, 4 * at + 4)),
      Array.from({ length: 100 }, (_, at) => 1000 - at),
    );
    const query = reals(4);
    const found = index.search(query, { limit: 5, refine, refineK: 100 });
    expect([...found.ids]).toEqual(model.search(query).ids.slice(0, 5));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toHaveLength(100);
    const later = await index.searchAsync(query, { limit: 5, refineK: 100, refine: async (ids) => refine(ids) });
    expect(later).toEqual(found);
    const few = index.searchMany(reals(12), { limit: 2, refineK: 7, refine });
    expect(asked.slice(2).map((ids) => ids.length)).toEqual([7, 7, 7]);
    expect([...few.counts]).toEqual([2, 2, 2]);
    expect(() => index.search(query, { limit: 5, refine: () => new Float32Array(3) })).toThrow(/3 values for 5 ids/);
    const removed = index.searchAsync(query, {
      limit: 5,
      refineK: 100,
      refine: async (ids) => {
        index.remove([found.ids[0]!]);
        return refine(ids);
      },
    });
    expect([...(await removed).ids].slice(0, 4)).toEqual([...found.ids].slice(1));
  });

  it.each(METRICS)('ranks handed in vectors as FLAT would, %s, those that are no numbers last', async (metric) => {
    const dimension = 19;
    const rows = 200;
    using rough = await VectorIndex.create({ type: 'FLAT', metric, dimension });
    using flat = await VectorIndex.create({ type: 'FLAT', metric, dimension });
    const exact = Float32Array.from({ length: rows * dimension }, () => (random() % 9) - 4);
    rough.add(reals(rows * dimension));
    flat.add(exact);
    const vectorsOf = (ids: Float64Array): Float32Array =>
      Float32Array.from([...ids].flatMap((id) => [...exact.subarray(id * dimension, (id + 1) * dimension)]));
    for (let query = 0; query < 20; query++) {
      const asked = exact.subarray(query * dimension, (query + 1) * dimension);
      const found = rough.search(asked, { limit: 30, refineK: rows, refine: vectorsOf });
      const expected = flat.search(asked, { limit: 30 });
      if (metric !== 'COSINE') expect(found).toEqual(expected);
      for (const [at, distance] of found.distances.entries()) {
        expect(distance).toBeCloseTo(expected.distances[at]!, 5);
      }
    }
    const broken = (ids: Float64Array): Float32Array => vectorsOf(ids).fill(Number.NaN, 0, dimension);
    const all = rough.search(exact.subarray(0, dimension), { limit: rows, refineK: rows, refine: broken });
    expect(all.ids.at(-1)).toBe(0);
    expect(Math.abs(all.distances.at(-1)!)).toBe(Number.POSITIVE_INFINITY);
  });

  it('refuses what is wrong before anything changes, by the name of the option', async () => {
    const base = { type: 'FLAT', metric: 'L2', dimension: 2 } as const;
    const wrong: readonly (readonly [object, string, string])[] = [
      [{ ...base, type: 'BTREE' }, 'invalid', 'type'],
      [{ ...base, metric: 'EUCLID' }, 'invalid', 'metric'],
      [{ ...base, dimension: 0 }, 'invalid', 'dimension'],
      [{ ...base, dimension: 32_769 }, 'invalid', 'dimension'],
      [{ ...base, metric: 'HAMMING', dimension: 12 }, 'invalid', 'dimension'],
      [{ ...base, metric: 'HAMMING', elements: 'f32' }, 'invalid', 'metric'],
      [{ ...base, M: 16 }, 'invalid', 'M'],
      [{ ...base, nlist: 16 }, 'invalid', 'nlist'],
      [{ ...base, efconstruction: 16 }, 'invalid', 'efconstruction'],
      [{ ...base, exact: 'none' }, 'invalid', 'exact'],
      [{ ...base, seed: -1 }, 'invalid', 'seed'],
      [{ ...base, maxBytes: 100 }, 'invalid', 'maxBytes'],
      [{ ...base, memory: {} }, 'invalid', 'memory'],
      [{ ...base, type: 'HNSW', M: 1 }, 'invalid', 'M'],
      [{ ...base, type: 'HNSW', M: 32, efConstruction: 31 }, 'invalid', 'efConstruction'],
      [{ ...base, type: 'HNSW', elements: 'int8' }, 'unsupported', 'elements'],
      [{ ...base, type: 'IVF_PQ', m: 3 }, 'invalid', 'm'],
    ];
    for (const [options, code, option] of wrong) {
      const error: unknown = await VectorIndex.create(options as never).catch((reason: unknown) => reason);
      expect([codeOf(error), (error as { details: object }).details], JSON.stringify(options)).toEqual([
        code,
        { option },
      ]);
    }
    using index = await VectorIndex.create(base);
    index.add(Float32Array.of(1, 2));
    const calls: readonly (readonly [() => unknown, RegExp])[] = [
      [() => index.add(new Float32Array(3)), /multiple of dimension 2/],
      [() => index.add([1, 2] as never), /vectors\[0\] is no vector/],
      [() => index.add([Float32Array.of(1, 2), Float32Array.of(1)]), /vectors\[1\] has 1 values/],
      [() => index.add(Float32Array.of(0, 0, 1, Number.NaN)), /value 1 of vector 1 is NaN/],
      [() => index.add([[1e39, 0]]), /value 0 of vector 0 is Infinity/],
      [() => index.add(new Float32Array(2), [1, 2]), /2 ids were given for 1/],
      [() => index.search(new Float32Array(3), { limit: 1 }), /query has 3 values/],
      [() => index.search(Float32Array.of(1, Number.POSITIVE_INFINITY), { limit: 1 }), /is Infinity/],
      [() => index.search(new Float32Array(2), {} as never), /limit is undefined/],
      [() => index.search(new Float32Array(2), { limit: 16_385 }), /limit is 16385/],
      [() => index.search(new Float32Array(2), { limit: 1, efSearch: 9 } as never), /no option efSearch/],
      [() => index.search(new Float32Array(2), { limit: 1, filter: [true] as never }), /filter is a bitmap/],
      [() => index.searchMany(new Float32Array(3), { limit: 1 }), /queries holds 3 values/],
      [() => index.searchRange(new Float32Array(2), {} as never), /radius is undefined/],
      [() => index.cursor(new Float32Array(2), { limit: 3 } as never), /no option limit/],
      [() => index.cursor(new Float32Array(2)).next(0), /count is 0/],
      [() => index.save({ exact: false }), /searches exact vectors/],
    ];
    for (const [call, message] of calls) {
      expect(call, String(call)).toThrow(message);
      expect(() => call()).toThrow(expect.objectContaining({ code: 'invalid' }) as never);
    }
    expect(index.size).toBe(1);
  });

  it('keeps within its budget, goes on working, and gives its bytes back to the others of its memory', async () => {
    const memory = await VectorMemory.create({ maxBytes: 1024 * 1024 });
    const options = { type: 'FLAT', metric: 'IP', dimension: 64, memory } as const;
    const first = await VectorIndex.create(options);
    first.add(reals(64 * 2500));
    const second = await VectorIndex.create(options);
    second.add(reals(64 * 500));
    const before = second.bytes;
    expect(() => second.add(reals(64 * 1500))).toThrow(expect.objectContaining({ code: 'quota' }) as never);
    expect([second.size, second.bytes]).toEqual([500, before]);
    expect(second.search(reals(64), { limit: 3 }).ids).toHaveLength(3);
    await expect(VectorIndex.load(first.save(), { memory })).rejects.toMatchObject({ code: 'quota' });
    expect(memory.bytes).toBe(first.bytes + second.bytes);
    first.free();
    second.add(reals(64 * 1500));
    expect(second.size).toBe(2000);
    expect(memory.bytesReserved).toBeLessThanOrEqual(memory.maxBytes);
    second.free();
    expect(memory.bytes).toBe(0);
  });

  it('is closed once it is freed, and a cursor once the index has changed', async () => {
    const index = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 2 });
    index.add(reals(200));
    const cursor = index.cursor(reals(2));
    expect(cursor.next(10).ids).toHaveLength(10);
    await index.build();
    expect(cursor.next(10).ids).toHaveLength(10);
    index.add(reals(2));
    expect(() => cursor.next(10)).toThrow(expect.objectContaining({ code: 'closed' }) as never);
    const later = index.cursor(reals(2));
    index.free();
    index.free();
    for (const call of [() => index.size, () => index.save(), () => index.add(reals(2)), () => later.next(1)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'closed' }) as never);
    }
    await expect(index.build()).rejects.toMatchObject({ code: 'closed' });
  });

  it('opens a Buffer, at any place of another one, and leaves it alone', async () => {
    using index = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 32 });
    index.add(reals(32 * 400));
    index.remove([3, 30]);
    const saved = index.save();
    for (const offset of [0, 1, 4]) {
      const buffer = Buffer.alloc(saved.byteLength + 8);
      buffer.set(saved, offset);
      using loaded = await VectorIndex.load(buffer.subarray(offset, offset + saved.byteLength));
      loaded.remove([5, 6]);
      expect(Buffer.compare(buffer.subarray(offset, offset + saved.byteLength), saved)).toBe(0);
      expect([loaded.size, index.size]).toEqual([396, 398]);
    }
  });

  it('opens no blob that was changed, and says which part', async () => {
    using index = await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 32 });
    index.add(reals(32 * 400), [...Array.from({ length: 400 }, (_, at) => at * at)]);
    index.remove([4, 9]);
    const saved = index.save();
    const seen = new Set<unknown>();
    for (let at = 32; at < saved.byteLength; at += 37) {
      const damaged = saved.slice();
      damaged[at]! ^= 1 << (at % 8);
      const error: unknown = await VectorIndex.load(damaged).catch((reason: unknown) => reason);
      expect(codeOf(error), `byte ${at}`).toBe('corrupt');
      seen.add((error as { details: { section: string } }).details.section);
    }
    expect([...seen].sort()).toEqual(['directory', 'exact', 'ids', 'removed', 'removed-ids']);
    await expect(VectorIndex.load(new Uint8Array(99))).rejects.toMatchObject({ code: 'invalid' });
    await expect(VectorIndex.load(saved, { limit: 3 } as never)).rejects.toMatchObject({ code: 'invalid' });
  });
});
