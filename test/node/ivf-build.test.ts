import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { WasmIvf } from '../../wasm/ivf.ts';
import {
  buildAll,
  builtIvf,
  clusteredRows,
  copied,
  IVF_TYPES,
  ivfSpec,
  kernelMemory,
  type Rows,
  rowsOf,
  sectionBytes,
} from './ivf-rows.ts';
import { WASM_BUILDS } from './kernel.ts';

/** What building promises: the same index from both builds and however it was cut, and saved at any moment. */

const ROWS = clusteredRows(700, 20, 3);
const EVERYTHING = 65_536;

function expectSame(a: WasmIvf, b: WasmIvf): void {
  const first = a.save();
  const second = b.save();
  expect(second.state).toEqual(first.state);
  expect([...sectionBytes(second).keys()]).toEqual([...sectionBytes(first).keys()]);
  for (const [name, bytes] of sectionBytes(first)) {
    expect(Buffer.compare(bytes, sectionBytes(second).get(name) as Uint8Array), `section ${name}`).toBe(0);
  }
}

describe('the same rows in the same calls', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: give the same bytes from both builds, at every moment`, async () => {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        const indexes: WasmIvf[] = [];
        for (const build of WASM_BUILDS) {
          const index = new WasmIvf(await kernelMemory(build), ivfSpec(type, metric, 20, { nlist: 12 }));
          index.append(ROWS.values);
          indexes.push(index);
        }
        const [first, ...others] = indexes as [WasmIvf, ...WasmIvf[]];
        for (let pending = first.pending; pending > 0; ) {
          pending = first.build(173);
          for (const other of others) {
            expect(other.build(173)).toBe(pending);
            expectSame(first, other);
          }
        }
      }
    });

    it(`${type}: give the same index in steps of any size`, async () => {
      const spec = ivfSpec(type, 'L2', 20, { nlist: 12 });
      const whole = await builtIvf(spec, ROWS);
      for (const step of [1, 61, 400]) expectSame(whole, await builtIvf(spec, ROWS, undefined, step));
    });

    it(`${type}: saved between any two steps, it goes on where it was`, async () => {
      for (const exact of ['memory', 'none'] as const) {
        const spec = ivfSpec(type, 'COSINE', 20, { nlist: 12, exact });
        const whole = await builtIvf(spec, ROWS);
        const more = clusteredRows(90, 20, 4);
        let index = new WasmIvf(await kernelMemory(), spec);
        index.append(ROWS.values);
        for (let pending = index.pending; pending > 0; ) {
          pending = index.build(150);
          const memory = await kernelMemory();
          const loaded = WasmIvf.load(memory, copied(index.save()));
          expectSame(index, loaded);
          const query = ROWS.values.subarray(0, 20);
          const search = { limit: 9, nprobe: EVERYTHING };
          expect(loaded.search(query, search)).toEqual(index.search(query, search));
          expect(loaded.bytes).toBe(memory.bytesUsed);
          index.free();
          index = loaded;
        }
        expectSame(whole, index);
        for (const each of [whole, index]) {
          each.append(more.values);
          each.remove(Uint32Array.of(3, 710, 44));
          buildAll(each, 25);
        }
        expectSame(whole, index);
      }
    });
  }
});

describe('codes alone', () => {
  for (const type of IVF_TYPES.filter((each) => each !== 'IVF_FLAT')) {
    it(`${type}: are saved as if exact vectors had never been kept`, async () => {
      const kept = await builtIvf(ivfSpec(type, 'IP', 20), ROWS);
      const without = await builtIvf(ivfSpec(type, 'IP', 20, { exact: 'none' }), ROWS);
      const loaded = WasmIvf.load(await kernelMemory(), copied(kept.save({ exact: false })));
      expect(loaded.spec).toEqual(without.spec);
      expectSame(without, loaded);
      expect([loaded.isExact, kept.isExact]).toEqual([false, true]);
      expect(kept.bytes - loaded.bytes).toBeGreaterThan(700 * 80);
      expect(loaded.search(ROWS.values, { limit: 3 })).toEqual(without.search(ROWS.values, { limit: 3 }));
    });
  }
});

describe('rows that come later', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: are found at once and exactly, and by their lists once they are built`, async () => {
      const index = await builtIvf(ivfSpec(type, 'L2', 20), ROWS);
      const more = clusteredRows(300, 20, 9);
      const lists = index.save().state['lists'];
      for (let row = 0; row < 300; row++) index.append(more.values.subarray(row * 20, (row + 1) * 20));
      expect([index.size, index.pending]).toEqual([1000, 300]);
      const search = { limit: 1, nprobe: 20 };
      const check = (): void => {
        for (const row of [0, 17, 299]) {
          const result = index.search(more.values.subarray(row * 20, (row + 1) * 20), search);
          expect([rowsOf(result), result.distances[0]]).toEqual([[700 + row], 0]);
        }
      };
      check();
      while (index.build(40) > 0) check();
      check();
      expect(index.pending).toBe(0);
      expect(index.save().state['lists'], 'the centroids stay').toBe(lists);
    });
  }
});

describe('many more rows', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: lists are made again of all, unless exact vectors are gone`, async () => {
      for (const exact of ['memory', 'none'] as const) {
        const spec = ivfSpec(type, 'L2', 20, { exact });
        const index = await builtIvf(spec, { dimension: 20, values: ROWS.values.subarray(0, 100 * 20) });
        index.remove(Uint32Array.of(3));
        index.append(ROWS.values.subarray(100 * 20));
        const isAgain = exact === 'memory' || type === 'IVF_FLAT';
        const search = { limit: 1, nprobe: EVERYTHING };
        for (let pending = index.pending; pending > 0; ) {
          pending = index.build(90);
          if (!isAgain) continue;
          for (const row of [3, 50, 650]) {
            const query = ROWS.values.subarray(row * 20, row * 20 + 20);
            expect(rowsOf(index.search(query, search))[0] === row).toBe(row !== 3);
          }
        }
        expect(index.save().state['lists']).toBe(isAgain ? Math.ceil(4 * Math.sqrt(700)) : 40);
        if (!isAgain) continue;
        index.free();
        const whole = await builtIvf(spec, ROWS);
        const again = await builtIvf(spec, { dimension: 20, values: ROWS.values.subarray(0, 100 * 20) });
        again.append(ROWS.values.subarray(100 * 20));
        buildAll(again, 33);
        expectSame(whole, again);
      }
    });
  }
});

describe('small and odd', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: every dimension to 40, and some beyond`, async () => {
      for (const dimension of [...Array(40).keys()].map((at) => at + 1).concat([127, 257, 1031])) {
        const rows = clusteredRows(60, dimension, dimension);
        const index = await builtIvf(ivfSpec(type, 'L2', dimension), rows);
        const result = index.search(rows.values, { limit: 1, nprobe: EVERYTHING });
        const same = result.rows.filter((row, at) => row === at).length;
        expect(same, `dimension ${dimension}`).toBe(60);
        index.free();
      }
    });

    it(`${type}: nothing, one row, equal rows, rows of zeros`, async () => {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        const spec = ivfSpec(type, metric, 6);
        const index = new WasmIvf(await kernelMemory(), spec);
        const query = Float32Array.of(1, 2, 3, 0, 0, 0);
        const search = { limit: 5, nprobe: EVERYTHING };
        expect(index.search(query, search).counts).toEqual(Uint32Array.of(0));
        expect(index.build(100)).toBe(0);
        index.append(query);
        buildAll(index);
        expect(rowsOf(index.search(query, search))).toEqual([0]);
        index.append(new Float32Array(6 * 300));
        const expected = metric === 'L2' ? 14 : 0;
        for (const state of ['pending', 'built']) {
          const hits = index.search(query, search);
          expect(rowsOf(hits), state).toEqual([0, 1, 2, 3, 4]);
          expect([...hits.distances].slice(1), state).toEqual([expected, expected, expected, expected]);
          buildAll(index);
        }
        const rest = await builtIvf(ivfSpec(type, metric, 6, { exact: 'none' }), zeros(300));
        const estimates = rest.search(query, { limit: 3, nprobe: EVERYTHING }).distances;
        for (const value of estimates) expect(value).toBeCloseTo(expected, 4);
        expect(rest.search(new Float32Array(6), { limit: 3 }).distances[2]).toBeCloseTo(0, 4);
      }
    });

    it(`${type}: as many lists as rows, one list, more lists than rows`, async () => {
      for (const nlist of [1, 50, 1000]) {
        const rows = clusteredRows(50, 12, 5);
        const index = await builtIvf(ivfSpec(type, 'L2', 12, { nlist }), rows);
        expect(index.save().state['lists']).toBe(Math.min(nlist, 50));
        const result = index.search(rows.values, { limit: 50, nprobe: EVERYTHING });
        expect(result.counts.every((count) => count === 50)).toBe(true);
        expect(result.rows.filter((row, at) => at % 50 === 0 && row === at / 50).length).toBe(50);
      }
    });
  }

  it('a loaded index that does not fit its description is corrupt, and leaves nothing behind', async () => {
    for (const type of IVF_TYPES) {
      const index = await builtIvf(ivfSpec(type, 'L2', 20), ROWS);
      const saved = copied(index.save());
      for (const { name } of saved.sections) {
        const memory = await kernelMemory();
        const sections = saved.sections.filter((section) => section.name !== name);
        expect(
          codeOfThrown(() => WasmIvf.load(memory, { ...saved, sections })),
          `${type} without ${name}`,
        ).toBe('corrupt');
        expect(memory.bytesUsed).toBe(0);
      }
    }
  });
});

function zeros(count: number): Rows {
  return { dimension: 6, values: new Float32Array(6 * count) };
}

function codeOfThrown(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}
