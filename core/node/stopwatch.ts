import type { Clock } from '../time/clock.ts';

/** Times the steps of a call, one after another. Only calls that asked for their times have one. */
export class Stopwatch {
  readonly #elapsed: () => number;
  readonly #startedAt: number;
  #lapAt: number;

  constructor(clock: Clock) {
    this.#elapsed = clock.elapsed ?? (() => clock.now());
    this.#startedAt = this.#elapsed();
    this.#lapAt = this.#startedAt;
  }

  /** Milliseconds since the last lap, or since the beginning. */
  lap(): number {
    const now = this.#elapsed();
    const lapMs = now - this.#lapAt;
    this.#lapAt = now;
    return lapMs;
  }

  /** Milliseconds since the beginning. */
  total(): number {
    return this.#elapsed() - this.#startedAt;
  }
}
