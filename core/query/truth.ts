/** Three-valued logic, one byte a row. */

export const FALSE = 0;
export const TRUE = 1;
/** Neither: a value is null, absent, or of another kind than what it is compared with. */
export const UNKNOWN = 2;

/** In place: what was unknown stays so. */
export function negate(result: Uint8Array): Uint8Array {
  for (let row = 0; row < result.length; row++) if (result[row] !== UNKNOWN) result[row] = 1 - (result[row] as number);
  return result;
}

/**
 * Conjunction (`decisive` is `FALSE`) or disjunction (`TRUE`), into `result`: one decisive part decides, else one
 * unknown part does. Says whether every row is decided.
 */
export function combine(result: Uint8Array, part: Uint8Array, decisive: number): boolean {
  let open = 0;
  for (let row = 0; row < result.length; row++) {
    const [before, value] = [result[row] as number, part[row] as number];
    if (before === decisive) continue;
    if (value === decisive || value === UNKNOWN) result[row] = value;
    if (value !== decisive) open += 1;
  }
  return open === 0;
}

/** The rows that are true, as a bitmap: a bit a row, the first row in the lowest bit of the first byte. */
export function matches(result: Uint8Array): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(result.length / 8));
  for (let row = 0; row < result.length; row++) {
    if (result[row] === TRUE) bitmap[row >> 3] = (bitmap[row >> 3] as number) | (1 << (row & 7));
  }
  return bitmap;
}
