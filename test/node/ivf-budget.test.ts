import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import type { SavedIndex } from '../../core/vector/segment-index.ts';
import { WasmIvf } from '../../wasm/ivf.ts';
import type { IvfType } from '../../wasm/ivf-exports.ts';
import type { KernelMemory } from '../../wasm/memory.ts';
import {
  buildAll,
  builtIvf,
  clusteredRows,
  copied,
  IVF_TYPES,
  ivfSpec,
  kernelMemory,
  sectionBytes,
} from './ivf-rows.ts';

/** The budget: whatever is left of it, calls succeed or throw `quota`, and what was refused succeeds with more room. */

const ROWS = clusteredRows(500, 24, 6);
const MORE = clusteredRows(150, 24, 7);
const BYTES_MAX = 2 ** 20;
const SEARCH = { limit: 20, nprobe: 65_536 };

/** A memory with `left` bytes of room, and what takes the rest. */
async function nearlyFull(left: number): Promise<{ memory: KernelMemory; filler: number }> {
  const memory = await kernelMemory(undefined, BYTES_MAX);
  let filler: number | undefined;
  for (let bytes = BYTES_MAX - left; filler === undefined; bytes -= 1024) filler = memory.tryAllocate(bytes);
  return { memory, filler };
}

/** Runs a call; after `quota` once more with all the room there is. Says whether it was refused. */
function insist(memory: KernelMemory, room: { filler: number }, run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    expect(codeOf(error)).toBe('quota');
  }
  const bytes = memory.bytes.byteLength;
  if (room.filler !== 0) memory.release(room.filler);
  room.filler = 0;
  run();
  expect(memory.bytes.byteLength).toBeLessThanOrEqual(Math.max(bytes, BYTES_MAX));
  return true;
}

async function referenceOf(type: IvfType, exact: 'memory' | 'none'): Promise<SavedIndex> {
  const index = await builtIvf(ivfSpec(type, 'COSINE', 24, { nlist: 10, exact }), ROWS);
  index.remove(Uint32Array.of(1, 499));
  index.append(MORE.values);
  buildAll(index);
  return index.save();
}

describe('with little room', () => {
  for (const type of IVF_TYPES) {
    it(`${type}: every call is done whole or refused, and the index is the same in the end`, async () => {
      for (const exact of ['memory', 'none'] as const) {
        const reference = await referenceOf(type, exact);
        const refusedAt = new Set<string>();
        for (let left = 200; left < 400_000; left += Math.ceil(left / 12)) {
          const { memory, filler } = await nearlyFull(left);
          const room = { filler };
          let index: WasmIvf | undefined;
          const step = (name: string, run: (index: WasmIvf) => void): void => {
            const open = index as WasmIvf;
            const before = [open.size, open.removed];
            const fillerBytes = room.filler;
            const isRefused = insist(memory, room, () => {
              try {
                run(open);
              } catch (error) {
                if (name !== 'build') expect([open.size, open.removed]).toEqual(before);
                expect(room.filler).toBe(fillerBytes);
                throw error;
              }
            });
            if (isRefused) refusedAt.add(name);
            if (room.filler === 0) expect(open.bytes).toBe(memory.bytesUsed);
          };
          insist(memory, room, () => {
            index = new WasmIvf(memory, ivfSpec(type, 'COSINE', 24, { nlist: 10, exact }));
          });
          step('append', (open) => open.append(ROWS.values));
          step('build', (open) => buildAll(open, 100));
          step('remove', (open) => open.remove(Uint32Array.of(1, 499)));
          step('append', (open) => open.append(MORE.values));
          step('search', (open) => open.search(ROWS.values.subarray(0, 48), { ...SEARCH, allow: new Uint8Array(82) }));
          step('cursor', (open) => {
            const cursor = open.cursor(ROWS.values.subarray(0, 24), SEARCH);
            try {
              cursor.next(30);
            } finally {
              cursor.free();
            }
          });
          step('build', (open) => buildAll(open, 100));
          const saved = (index as WasmIvf | undefined)?.save() as SavedIndex;
          expect(saved.state).toEqual(reference.state);
          const expected = sectionBytes(reference);
          for (const [name, bytes] of sectionBytes(saved)) {
            expect(Buffer.compare(bytes, expected.get(name) as Uint8Array), `${name}, ${left} left`).toBe(0);
          }
          (index as WasmIvf | undefined)?.free();
          if (room.filler !== 0) memory.release(room.filler);
          expect(memory.bytesUsed).toBe(0);
        }
        expect([...refusedAt]).toEqual(expect.arrayContaining(['append', 'build']));
      }
    });

    it(`${type}: loading is whole or refused, and leaves nothing behind`, async () => {
      const saved = copied(await referenceOf(type, 'memory'));
      let refused = 0;
      for (let left = 200; left < 300_000; left += Math.ceil(left / 15)) {
        const { memory, filler } = await nearlyFull(left);
        const used = memory.bytesUsed;
        try {
          WasmIvf.load(memory, saved).free();
        } catch (error) {
          expect(codeOf(error)).toBe('quota');
          refused += 1;
        }
        expect(memory.bytesUsed).toBe(used);
        memory.release(filler);
      }
      expect(refused).toBeGreaterThan(10);
    });

    it(`${type}: a search or a cursor has its answer or is refused`, async () => {
      const memory = await kernelMemory(undefined, BYTES_MAX);
      const index = new WasmIvf(memory, ivfSpec(type, 'IP', 24, { nlist: 10 }));
      index.append(ROWS.values);
      buildAll(index);
      const allow = new Uint8Array(63).fill(0x5a);
      const calls: readonly (() => unknown)[] = [
        () => index.search(ROWS.values.subarray(0, 240), { ...SEARCH, allow }),
        () => {
          const cursor = index.cursor(ROWS.values.subarray(0, 24), SEARCH);
          try {
            return cursor.next(400);
          } finally {
            cursor.free();
          }
        },
      ];
      for (const call of calls) {
        const answer = call();
        let refused = 0;
        for (let left = 64; left < 100_000; left += Math.ceil(left / 8)) {
          const filler = fill(memory, left);
          try {
            expect(call()).toEqual(answer);
          } catch (error) {
            expect(codeOf(error)).toBe('quota');
            refused += 1;
          }
          for (const block of filler) memory.release(block);
          expect(memory.bytesUsed).toBe(index.bytes);
        }
        expect(refused).toBeGreaterThan(5);
      }
    });
  }
});

/** Takes all but about `left` bytes of a memory. */
function fill(memory: KernelMemory, left: number): number[] {
  const blocks: number[] = [];
  const kept = memory.tryAllocate(left) as number;
  for (let bytes = BYTES_MAX; bytes >= 32; ) {
    const block = memory.tryAllocate(bytes);
    if (block === undefined) bytes = Math.floor(bytes / 2);
    else blocks.push(block);
  }
  memory.release(kept);
  return blocks;
}
