/**
 * Chooses the rows of a block that are scanned, by the bitmap if there is one: whole runs of forbidden rows cost one
 * load, and each allowed row a few instructions, whatever the density.
 */

/** Bits that a u64 loaded at a byte address certainly holds, wherever in the byte the first one lies. */
const BITS: u32 = 57;

/**
 * Writes the numbers (u32) of the allowed rows from `from` up to `to`, ascending, and says how many. The last number is
 * repeated up to a multiple of four, so `list` has room for `to - from` numbers rounded up to that. `bitmap` is 0 for
 * all rows; else 8 bytes can be loaded at each of its bytes.
 */
export function listAllowed(list: u32, from: u32, to: u32, bitmap: u32): u32 {
  const start = list;
  if (bitmap == 0) {
    for (let row = from; row < to; row++, list += 4) store<u32>(list, row);
  } else {
    for (let row = from; row < to; row += BITS) {
      let bits = load<u64>(bitmap + (row >> 3)) >> ((row & 7) as u64);
      const rest = to - row;
      bits &= ((1 as u64) << ((rest < BITS ? rest : BITS) as u64)) - 1;
      while (bits != 0) {
        store<u32>(list, row + (ctz(bits) as u32));
        list += 4;
        bits &= bits - 1;
      }
    }
  }
  const count = (list - start) >> 2;
  if (count > 0) {
    const last = load<u32>(list - 4);
    store<u32>(list, last);
    store<u32>(list, last, 4);
    store<u32>(list, last, 8);
  }
  return count;
}
