/** The host's source of chance, or a seeded one: each call gives an integer, uniform in [0, 2^32). */
export type Random = () => number;

/** A number that nobody else draws: 128 random bits in hexadecimal. */
export function nonce(random: Random): string {
  let text = '';
  for (let word = 0; word < 4; word++) text += (random() >>> 0).toString(16).padStart(8, '0');
  return text;
}

/**
 * A seeded source of chance for tests and simulations: the same seed gives the same numbers on any machine.
 * Source: splitmix32 (after Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
