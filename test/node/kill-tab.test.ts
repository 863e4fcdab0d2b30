import { expect, it } from 'vitest';
import { killRounds, USUAL_MODES } from '../kill/loop.ts';

const ROUNDS = 10;
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

// What each request is held to is in `test/kill/model.ts`; `npm run kill` goes on for longer.
it.skipIf(process.platform !== 'linux')(
  `loses nothing acknowledged and shows nothing in part, whatever is killed (SEED=${seed}; Linux only: it finds the renderer in /proc)`,
  async () => {
    const report = await killRounds({ rounds: ROUNDS, seed, modes: USUAL_MODES });
    expect(Object.keys(report.kills).sort()).toEqual([...USUAL_MODES].sort());
    expect(Object.values(report.kills).reduce((sum, kills) => sum + kills, 0)).toBe(ROUNDS);
    // Some rounds end while the database opens; the others have written.
    expect(report.acknowledged).toBeGreaterThanOrEqual(ROUNDS);
  },
  180_000,
);
