import { describe, expect, it } from 'vitest';
import { crc32c } from '../../core/base/crc32c.ts';
import { seededRandom } from '../../core/base/random.ts';
import { foldedCrc32c } from '../../wasm/checksum.ts';
import { KernelMemory } from '../../wasm/memory.ts';
import { nodeModule } from './kernel.ts';

const random = seededRandom(7);
const BYTES = Uint8Array.from({ length: 800_000 }, () => random());

describe('a CRC folded in the core', () => {
  it('is the one that tables give, at every length around its pieces and for bytes at any alignment', async () => {
    const memory = new KernelMemory(await nodeModule(), 1024 * 1024);
    const lengths = [0, 1, 32_767, 32_768, 32_769, 100_003, 2 * 262_144 + 5321, 800_000];
    for (let more = -18; more <= 18; more++) lengths.push(262_144 + 5321 + more, 262_144 + 16_384 + 5328 + more);
    for (const length of lengths) {
      const bytes = BYTES.subarray(length % 7, (length % 7) + Math.min(length, 799_990));
      expect(foldedCrc32c(memory, bytes), `${length} bytes`).toBe(crc32c(bytes));
    }
    expect(memory.bytesUsed).toBe(0);
  });

  it('leaves the bytes alone, those of a Buffer as well, whose `slice` is no copy', async () => {
    const memory = new KernelMemory(await nodeModule(), 1024 * 1024);
    const buffer = Buffer.from(BYTES);
    expect(foldedCrc32c(memory, buffer)).toBe(crc32c(BYTES));
    expect(Buffer.compare(buffer, BYTES)).toBe(0);
  });

  it('needs no room where there is none', async () => {
    const memory = new KernelMemory(await nodeModule(), 65_536);
    expect(foldedCrc32c(memory, BYTES)).toBe(crc32c(BYTES));
  });
});
