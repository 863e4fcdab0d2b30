import { parseArgs } from 'node:util';
import { simulateLog } from './log-simulation.ts';

/**
 * `npm run simulate -- --seeds N [--from S]`: runs the log's simulation, every other seed with R2's limits, and names
 * the seeds that violate.
 */
const { values } = parseArgs({ options: { seeds: { type: 'string' }, from: { type: 'string' } } });
const seeds = Number(values.seeds ?? 10_000);
const from = Number(values.from ?? 1);
let acknowledged = 0;
let owners = 0;
const bad: number[] = [];
const began = performance.now();
for (let seed = from; seed < from + seeds; seed++) {
  const result = await simulateLog(seed, { isLimited: seed % 2 === 0 });
  acknowledged += result.acknowledged;
  owners += result.owners;
  if (result.violations.length > 0) {
    bad.push(seed);
    console.log(`seed ${seed}: ${result.violations.slice(0, 3).join('; ')}`);
  }
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${seeds} seeds from ${from}: ${acknowledged} acknowledged, ${owners} owners, ${bad.length} seeds violate, ${seconds} s`,
);
process.exitCode = bad.length === 0 ? 0 : 1;
