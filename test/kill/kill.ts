import { parseArgs } from 'node:util';
import { killRounds, MODES, type Mode, USUAL_MODES } from './loop.ts';
import { TAKEOVER_MODES, type TakeoverMode, takeoverRounds } from './takeover.ts';

/**
 * `npm run kill -- [--rounds N] [--seed S] [--mode tab,browser,…]`: kills the database in Chromium under a checked
 * workload, again and again; without a mode, each round takes the next of
 * all but `power`. `leader` is all that can
 * happen to one of several tabs. It needs the built package.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    mode: { type: 'string' },
    quiet: { type: 'boolean' },
  },
});
const rounds = Number(values.rounds ?? 20);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const log = values.quiet === true ? {} : { log: (line: string) => console.log(line) };
const named = values.mode?.split(',').filter((mode) => mode !== 'leader') ?? USUAL_MODES;
const modes = named.filter((mode): mode is Mode => mode in MODES);
const isLeader = values.mode?.split(',').includes('leader') === true;
const takeovers = (isLeader ? Object.keys(TAKEOVER_MODES) : named).filter(
  (mode): mode is TakeoverMode => mode in TAKEOVER_MODES,
);
const unknown = named.filter((mode) => !(mode in MODES || mode in TAKEOVER_MODES));
if (unknown.length > 0) {
  console.error(`There is no mode ${unknown}; there are:`);
  for (const [mode, meaning] of Object.entries({ ...MODES, ...TAKEOVER_MODES })) console.error(`  ${mode}: ${meaning}`);
  console.error(`  leader: all of ${Object.keys(TAKEOVER_MODES)}`);
  process.exit(2);
}
if (modes.length > 0) {
  console.log(`SEED=${seed}, ${rounds} rounds of ${modes.join(', ')}`);
  console.log(JSON.stringify(await killRounds({ rounds, seed, modes, ...log })));
}
if (takeovers.length > 0) {
  console.log(`SEED=${seed}, ${rounds} rounds of ${takeovers.join(', ')}, several tabs`);
  const { takeoverMs, ...report } = await takeoverRounds({ rounds, seed, modes: takeovers, ...log });
  console.log(JSON.stringify(report));
  for (const [mode, times] of Object.entries(takeoverMs)) {
    const median = times[Math.floor(times.length / 2)];
    console.log(
      `${mode}: ${times.length} times, taken over after ${times[0]} / ${median} / ${times.at(-1)} ms (min / median / max)`,
    );
  }
}
