import { describe, expect, test } from 'vitest';
import { simulateLog } from './log-simulation.ts';

/** More by `npm run simulate -- --seeds N`, which names what it finds in the same way. */
const SEEDS = 500;

describe('the log in bad weather', () => {
  test.each([
    { store: 'a plain store', isLimited: false, from: 1 },
    { store: "a store with R2's limits", isLimited: true, from: 1_000_001 },
  ])('loses, repeats and reorders nothing on $store', async ({ isLimited, from }) => {
    let acknowledged = 0;
    for (let seed = from; seed < from + SEEDS; seed++) {
      const result = await simulateLog(seed, { isLimited });
      expect(result.violations, `seed ${seed}`).toEqual([]);
      acknowledged += result.acknowledged;
    }
    // Weather so bad that nothing is ever written would prove nothing.
    expect(acknowledged).toBeGreaterThan(SEEDS * 10);
  });

  test('runs the same from the same seed, to the last event', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      for (const isLimited of [false, true]) {
        const first = await simulateLog(seed, { isLimited });
        expect(await simulateLog(seed, { isLimited }), `seed ${seed}`).toEqual(first);
      }
    }
    expect((await simulateLog(1)).fingerprint).not.toBe((await simulateLog(2)).fingerprint);
  });
});
