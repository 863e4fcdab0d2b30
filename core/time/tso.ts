import type { Random } from '../base/random.ts';
import { Counter } from '../storage/counter.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Clock } from './clock.ts';
import { TIMESTAMP_ZERO, type Timestamp, timestampAt } from './timestamp.ts';

/** How far ahead the high-water mark is written: one write each three seconds at most, as R2 asks. */
const WINDOW_MS = 3_000;

/**
 * The timestamp oracle (after Percolator's, as in TiDB and Milvus): hands out ranges that grow, and never goes back,
 * over restarts and when the clock does.
 */
export class TimestampOracle {
  readonly #counter: Counter;
  readonly #clock: Clock;

  constructor(objects: ObjectStore, clock: Clock, random: Random) {
    this.#counter = new Counter(objects, 'tso', { clock, random });
    this.#clock = clock;
  }

  /**
   * The first of `count` timestamps that nobody else gets: not before the clock, and all above `above`. An oracle that
   * was replaced may still hand out what is left of its window; who has seen newer timestamps says so by `above`.
   */
  allocate(count: number, above: Timestamp = TIMESTAMP_ZERO): Promise<Timestamp> {
    const now = timestampAt(this.#clock.now());
    return this.#counter.take(BigInt(count), above >= now ? above + 1n : now, timestampAt(WINDOW_MS));
  }
}
