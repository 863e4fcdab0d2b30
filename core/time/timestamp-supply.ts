import { assert } from '../base/assert.ts';
import { TIMESTAMP_RANGE_AGE_MS_MAX } from '../model/limits.ts';
import type { Clock } from './clock.ts';
import { TIMESTAMP_ZERO, type Timestamp } from './timestamp.ts';

/** Timestamps asked for at a time; a batch of the log never holds more records. */
export const TIMESTAMP_RANGE_COUNT: number = 1 << 16;

/** Asks the coordinator for a range of `count` timestamps, all above `above`. */
export type AllocateTimestamps = (
  count: number,
  above: Timestamp,
) => Promise<{ readonly first: Timestamp; readonly count: number }>;

/**
 * The timestamps that one owner of a channel stamps its records with: strictly increasing, from ranges that the
 * coordinator hands out.
 */
export class TimestampSupply {
  readonly #allocate: AllocateTimestamps;
  readonly #clock: Clock;
  #next = TIMESTAMP_ZERO;
  #end = TIMESTAMP_ZERO;
  #takenAt = Number.NEGATIVE_INFINITY;
  /** Nothing at or below this is stamped any more. */
  #floor: Timestamp;

  /** @param floor the newest timestamp that was replayed: everything stamped lies above it */
  constructor(allocate: AllocateTimestamps, clock: Clock, floor: Timestamp) {
    this.#allocate = allocate;
    this.#clock = clock;
    this.#floor = floor;
  }

  /** Makes sure that `count` (at most `TIMESTAMP_RANGE_COUNT`) timestamps are at hand, and that they are near the clock. */
  async prepare(count: number): Promise<void> {
    assert(count <= TIMESTAMP_RANGE_COUNT, `a batch of ${count} records needs no more timestamps than a range has`);
    this.#raise();
    const fresh = this.#clock.now() - this.#takenAt <= TIMESTAMP_RANGE_AGE_MS_MAX;
    if (fresh && this.#next + BigInt(count) <= this.#end) return;
    const range = await this.#allocate(TIMESTAMP_RANGE_COUNT, this.#floor);
    this.#takenAt = this.#clock.now();
    this.#next = range.first;
    this.#end = range.first + BigInt(range.count);
    this.#raise();
    // A read may have raised the floor past the whole range meanwhile; its timestamp came from the coordinator too.
    if (this.#next + BigInt(count) > this.#end) await this.prepare(count);
  }

  /** The next timestamp; `prepare` has made sure that there is one. */
  stamp(): Timestamp {
    this.#raise();
    assert(this.#next < this.#end, 'timestamps are prepared before records are stamped');
    return this.#next++;
  }

  /** Stamps nothing more at or below `bound`: a read at `bound` is under way. */
  skip(bound: Timestamp): void {
    if (bound > this.#floor) this.#floor = bound;
  }

  #raise(): void {
    if (this.#next <= this.#floor) this.#next = this.#floor + 1n;
  }
}
