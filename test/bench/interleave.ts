/** One thing to measure: `run` does it once, and is timed. */
export interface Contender {
  readonly name: string;
  /** What one run does, in the unit that its rate is given in: queries, bytes. */
  readonly amount: number;
  readonly run: () => void;
}

/**
 * Runs all contenders in turn, round after round, so that whatever else the machine does hits them alike, and gives
 * each one's rates (amount a second), one a round. The first rounds, in which V8 optimizes, are thrown away.
 */
export function interleave(
  contenders: readonly Contender[],
  rounds: number,
  warmUpRounds: number,
): Map<string, number[]> {
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    for (const { name, amount, run } of contenders) {
      const start = performance.now();
      run();
      const seconds = (performance.now() - start) / 1000;
      if (round >= warmUpRounds) rates.get(name)!.push(amount / seconds);
    }
  }
  return rates;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
