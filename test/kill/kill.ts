import { parseArgs } from 'node:util';
import { killRounds, MODES, type Mode, USUAL_MODES } from './loop.ts';

/**
 * `npm run kill -- [--rounds N] [--seed S] [--mode tab,browser,…]`: kills the database in Chromium under a checked
 * workload, again and again; without a mode, each round takes the next of
 * all but `power`. It needs the built package.
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
const modes = (values.mode?.split(',') ?? USUAL_MODES) as Mode[];
const unknown = modes.filter((mode) => !(mode in MODES));
if (unknown.length > 0) {
  console.error(`There is no mode ${unknown}; there are:`);
  for (const [mode, meaning] of Object.entries(MODES)) console.error(`  ${mode}: ${meaning}`);
  process.exit(2);
}
console.log(`SEED=${seed}, ${rounds} rounds of ${modes.join(', ')}`);
const log = values.quiet === true ? {} : { log: (line: string) => console.log(line) };
const report = await killRounds({ rounds, seed, modes, ...log });
console.log(JSON.stringify(report));
