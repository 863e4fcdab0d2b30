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

/** What two values make, at `4 × one + other`: false decides a conjunction and true a disjunction, else unknown does. */
const CONJUNCTION: Uint8Array = Uint8Array.of(FALSE, FALSE, FALSE, 0, FALSE, TRUE, UNKNOWN, 0, FALSE, UNKNOWN, UNKNOWN);
const DISJUNCTION: Uint8Array = Uint8Array.of(FALSE, TRUE, UNKNOWN, 0, TRUE, TRUE, TRUE, 0, UNKNOWN, TRUE, UNKNOWN);

/** Joins a part of a conjunction or disjunction into `result`; says whether no further part can change it. */
export function combine(result: Uint8Array, part: Uint8Array, kind: 'and' | 'or'): boolean {
  const [table, decisive] = kind === 'and' ? [CONJUNCTION, FALSE] : [DISJUNCTION, TRUE];
  let open = 0;
  for (let row = 0; row < result.length; row++) {
    const value = table[4 * (result[row] as number) + (part[row] as number)] as number;
    result[row] = value;
    open += value === decisive ? 0 : 1;
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
