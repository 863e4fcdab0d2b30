/** Sets of rows: bit `i & 7` of byte `i >> 3` stands for row `i`. */

/** Bytes that a bitmap of `rows` rows takes, with room to load 16 bytes at any of its bytes. */
export function bitmapBytes(rows: u32): u32 {
  return ((rows + 7) >> 3) + 16;
}

// @ts-ignore: decorator
@inline
export function hasBit(bitmap: u32, row: u32): bool {
  return ((load<u8>(bitmap + (row >> 3)) >> ((row & 7) as u8)) & 1) != 0;
}

/** Sets a row's bit, and says whether it was not set before. */
// @ts-ignore: decorator
@inline
export function addBit(bitmap: u32, row: u32): bool {
  const at = bitmap + (row >> 3);
  const before = load<u8>(at);
  const bit = (1 as u8) << ((row & 7) as u8);
  store<u8>(at, before | bit);
  return (before & bit) == 0;
}

/** Takes out of `bitmap` what `other` holds, of the first `rows` rows; `other` is 0 for nothing. */
export function subtract(bitmap: u32, other: u32, rows: u32): void {
  if (other == 0) return;
  const bytes = (rows + 7) >> 3;
  for (let at: u32 = 0; at < bytes; at++) {
    store<u8>(bitmap + at, load<u8>(bitmap + at) & ~load<u8>(other + at));
  }
}

/** How many of the rows from 0 up to `rows` are in it. */
export function countBits(bitmap: u32, rows: u32): u32 {
  let count: u32 = 0;
  const whole = rows & ~63;
  for (let row: u32 = 0; row < whole; row += 64) count += popcnt(load<u64>(bitmap + (row >> 3))) as u32;
  for (let row = whole; row < rows; row++) count += hasBit(bitmap, row) ? 1 : 0;
  return count;
}
