import type { Random } from '../../core/base/random.ts';
import type { Clock } from '../../core/time/clock.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the microtask queue given to what an event set off; what takes longer goes on beside the next event. */
const TURNS = 48;

/**
 * Virtual time: events run one at a time, by their time and then by the order in which they were planned. Nothing else
 * moves, so that the same seed gives the same run.
 */
export class Scheduler implements Clock {
  readonly #events: Event[] = [];
  #now = 0;
  #order = 0;

  now(): number {
    return this.#now;
  }

  /** Plans an event; after equal times the one planned first. */
  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.#now), order: this.#order++, run };
    let low = 0;
    let high = this.#events.length;
    // Latest first, so that the next event is the last.
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle] as Event;
      if (other.at > event.at || (other.at === event.at && other.order > event.order)) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#now + ms, resolve));
  }

  /** Runs until nothing is planned any more, or virtual time passes `until`. */
  async run(until: number): Promise<void> {
    await turns();
    for (;;) {
      const event = this.#events.at(-1);
      if (event === undefined || event.at > until) return;
      this.#events.pop();
      this.#now = event.at;
      event.run();
      await turns();
    }
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await undefined;
}

/** An integer from `low` up to, not including, `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + (random() % (high - low));
}

/** True with this chance, in percent. */
export function chance(random: Random, percent: number): boolean {
  return random() % 100 < percent;
}
