import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { BIGINT_BYTES, TABLE_ENTRY_BYTES, valueFootprint } from '../../../core/base/footprint.ts';

const COUNT = 100_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that the heap grows by, of what `make` returns. */
function heapBytesOf(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const made = make();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  expect(made).toBeDefined();
  return bytes;
}

const numbers = Array.from({ length: COUNT }, (_, at) => at);

test.each([
  [
    'a table of bigints',
    () => new Map(numbers.map((at) => [BigInt(at) + 2n ** 40n, at])),
    TABLE_ENTRY_BYTES + BIGINT_BYTES,
  ],
  ['short texts', () => numbers.map((at) => `row ${at} of many`), valueFootprint('row 10000 of many')],
  [
    'long texts',
    () => numbers.map((at) => String(at).padEnd(200, 'x').split('').join('')),
    valueFootprint('x'.repeat(200)),
  ],
  [
    'texts of two bytes',
    () => numbers.map((at) => `行 ${at}`.padEnd(100, '字').split('').join('')),
    valueFootprint('字'.repeat(100)),
  ],
  ['arrays of numbers', () => numbers.map((at) => [at, at, at, at, at, at]), valueFootprint([1, 2, 3, 4, 5, 6])],
])('%s take about as much as is counted', (_, make, counted) => {
  const measured = heapBytesOf(make) / COUNT;
  expect(measured).toBeLessThan(counted * 1.4);
  expect(measured).toBeGreaterThan(counted * 0.5);
});
