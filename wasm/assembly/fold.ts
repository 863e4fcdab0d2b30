/**
 * Folds bytes for a CRC-32C: what has been folded is gone, and what it adds to the remainder has moved to the bytes
 * behind it. No table, no multiplication: three loads and a store for 16 bytes.
 *
 * A message is a polynomial over GF(2), and its CRC the remainder by Castagnoli's P. Since x^(8*5321) + x^(8*3574) +
 * x^(8*2491) + 1 is a multiple of P (found by search; no such sum in whole bytes reaches less than 5275 bytes far), a byte
 * may be taken out of the message if it is added to those 1747, 2830 and 5321 bytes behind it instead.
 *
 * Source: the idea is that of Russell and Cayton, "Chorba: A novel CRC32 implementation" (2024), for another P.
 */

const NEAR: u32 = 1747;
const MIDDLE: u32 = 2830;
const FAR: u32 = 5321;
/** Bytes before the block that reach into it: `FAR`, in whole vectors. */
const HISTORY: u32 = 5328;
/** With the history it stays in the innermost cache. */
const BLOCK: u32 = 16384;

/**
 * Folds `bytes` (a multiple of 16) at `source`. `work` has room for `HISTORY` + `BLOCK` bytes; its first `HISTORY` are
 * zero before the first call, and then the last bytes that were folded, as they were by then.
 */
export function foldChecksum(source: u32, bytes: u32, work: u32): void {
  while (bytes > 0) {
    const count = min(bytes, BLOCK);
    let target = work + HISTORY;
    const end = source + count;
    while (source < end) {
      const reached = v128.xor(v128.load(target - MIDDLE), v128.load(target - FAR));
      v128.store(target, v128.xor(v128.xor(v128.load(source), v128.load(target - NEAR)), reached));
      source += 16;
      target += 16;
    }
    memory.copy(work, work + count, HISTORY);
    bytes -= count;
  }
}
