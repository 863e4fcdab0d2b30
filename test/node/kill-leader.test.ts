import { expect, it } from 'vitest';
import { type TakeoverMode, takeoverRounds } from '../kill/takeover.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

// Each request is held to `test/kill/model.ts`: what the others write meanwhile comes exactly once.
it.skipIf(process.platform !== 'linux')(
  `other tabs go on when the leading one is killed, closed, stopped, or loses its workers (SEED=${seed}; Linux only: it finds the renderer in /proc)`,
  async () => {
    const modes: TakeoverMode[] = ['leader-kill', 'engine', 'leader-close', 'leader-stop', 'leader-workers'];
    const { takeoverMs, held, acknowledged } = await takeoverRounds({ rounds: modes.length, seed, modes });
    const taken = Object.values(takeoverMs).flat();
    expect(taken.length + held).toBe(modes.length);
    expect(acknowledged).toBeGreaterThan(modes.length);
  },
  300_000,
);
