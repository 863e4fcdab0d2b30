import { copyBytes } from '../core/base/bytes.ts';
import { crc32c } from '../core/base/crc32c.ts';
import type { KernelMemory } from './memory.ts';

/** As in assembly/fold.ts. */
const REACH = [1747, 2830, 5321] as const;
const FAR = 5321;
const HISTORY_BYTES = 5328;
const BLOCK_BYTES = 16_384;

/** What is copied into the core and folded at once: it stays in a core's own cache. */
const PIECE_BYTES = 256 * 1024;
/** Below this, tables in JavaScript are as fast. */
const FOLD_BYTES_MIN = 32 * 1024;

interface FoldExports {
  foldChecksum(source: number, bytes: number, work: number): void;
}

/**
 * `crc32c`, folded in the core: about ten times as fast for large parts. Its room is taken from the memory's budget for
 * the call; where there is none, tables in JavaScript do it.
 */
export function foldedCrc32c(memory: KernelMemory, bytes: Uint8Array): number {
  if (bytes.byteLength < FOLD_BYTES_MIN) return crc32c(bytes);
  const block = memory.tryAllocate(HISTORY_BYTES + BLOCK_BYTES + PIECE_BYTES);
  if (block === undefined) return crc32c(bytes);
  try {
    return finish(bytes, foldAllBut(memory, bytes, block));
  } finally {
    memory.release(block);
  }
}

interface Folded {
  /** Bytes that were folded. */
  readonly end: number;
  /** The last of them, as they were by then. */
  readonly history: Uint8Array;
}

/** Folds all that has `FAR` bytes behind it, in whole vectors. */
function foldAllBut(memory: KernelMemory, bytes: Uint8Array, work: number): Folded {
  const { foldChecksum } = memory.exports as unknown as FoldExports;
  const memoryBytes = memory.bytes;
  const piece = work + HISTORY_BYTES + BLOCK_BYTES;
  const end = Math.floor((bytes.byteLength - FAR) / 16) * 16;
  memoryBytes.fill(0, work, work + HISTORY_BYTES);
  for (let from = 0; from < end; from += PIECE_BYTES) {
    const to = Math.min(end, from + PIECE_BYTES);
    memoryBytes.set(bytes.subarray(from, to), piece);
    // A CRC begins with 32 ones, which is the same as adding them to the first four bytes.
    if (from === 0) for (let at = piece; at < piece + 4; at++) memoryBytes[at] = (memoryBytes[at] as number) ^ 255;
    foldChecksum(piece, to - from, work);
  }
  return { end, history: memoryBytes.subarray(work, work + HISTORY_BYTES) };
}

/** The CRC of the rest, to which the folded bytes have been added. */
function finish(bytes: Uint8Array, { end, history }: Folded): number {
  // Of a Node Buffer, `slice` would be a view of the caller's own bytes.
  const rest = copyBytes(bytes.subarray(end));
  for (const reach of REACH) {
    const count = Math.min(reach, rest.byteLength);
    for (let at = 0; at < count; at++) {
      rest[at] = (rest[at] as number) ^ (history[HISTORY_BYTES - reach + at] as number);
    }
  }
  // The ones at the beginning are in already.
  return crc32c(rest, 0xffffffff);
}
