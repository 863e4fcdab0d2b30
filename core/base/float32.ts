const EXACT_POWERS: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * The number with the fewest decimal digits that is the same float32 as `value`: 0.1 for the float32 nearest to 0.1,
 * whose double is 0.10000000149011612. `value` must hold a float32 exactly; the result then rounds back to it.
 * NaN, infinities, integers below 2^24 and zeros of either sign come back as they are. (Of all float32, three powers
 * of two get one digit more than they need: the shorter decimal is not the nearest of its length.)
 */
export function shortestFloat32(value: number): number {
  const size = Math.abs(value);
  // Also true for NaN and the infinities, which have no digits to shorten.
  if (!(size < Number.POSITIVE_INFINITY) || (size < 16_777_216 && Number.isInteger(value))) return value;
  return size >= 1e-9 && size < 16_777_216 ? shortenByScaling(value, size) : shortenByText(value, size);
}

/**
 * A power of ten up to 10^22 is exact, so the quotient is the double nearest to the decimal with that many digits.
 * Every decimal of 6 digits survives a normal float32, so fewer need not be tried: their trailing zeros vanish.
 */
function shortenByScaling(value: number, size: number): number {
  const exponent = Math.floor(Math.log10(size));
  for (let digits = 6; digits < 9; digits++) {
    const scale = EXACT_POWERS[Math.max(digits - 1 - exponent, 0)] as number;
    const short = Math.round(value * scale) / scale;
    if (Math.fround(short) === value) return short;
  }
  return shortenByText(value, size);
}

/** Subnormals have fewer than 6 digits of precision, so they are tried from the first digit on. */
function shortenByText(value: number, size: number): number {
  for (let digits = size < 1.2e-38 ? 1 : 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  // Nine digits tell every float32 from its neighbours.
  return Number(value.toPrecision(9));
}
