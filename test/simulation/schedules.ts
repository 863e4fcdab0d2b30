import { codeOf, type ElanusError } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { MemoryStore } from '../../core/storage/memory-store.ts';
import { type Log, type LogReader, type LogStore, POSITION_START, type Position } from '../../core/wal/log.ts';
import type { LogRules } from '../../core/wal/log-rules.ts';
import { collectLogGarbage, objectLogStore } from '../../core/wal/object-log.ts';
import { GatedStore, settle } from './gated-store.ts';

const CHANNEL = 'c';
/** Pauses between attempts pass at once: a schedule orders events by gates alone. */
const clock = { now: () => 0, sleep: () => Promise.resolve() };

/** What became of an append. */
export interface Attempt {
  outcome: 'pending' | 'acknowledged' | 'not-written' | 'unknown';
}

interface Process {
  readonly store: GatedStore;
  readonly logs: LogStore;
  readonly reader: LogReader;
}

/**
 * The world of one written schedule: processes that share a store, and an oracle that knows which entries were
 * acknowledged and which were said to be certainly not written. Entries are letters.
 */
export class Schedule {
  readonly violations: string[] = [];
  readonly #rules: LogRules;
  readonly #store = new MemoryStore();
  readonly #random = seededRandom(1);
  readonly #attempts = new Map<string, Attempt>();
  /** Entries that were folded into a checkpoint before they were truncated. */
  #folded = '';

  constructor(rules: LogRules) {
    this.#rules = rules;
  }

  process(): Process {
    const store = new GatedStore(this.#store);
    const logs = objectLogStore(store, { clock, random: this.#random }, this.#rules);
    return { store, logs, reader: logs.reader(CHANNEL) };
  }

  open(process: Process, term: number): Promise<Log> {
    return process.logs.open(CHANNEL, term);
  }

  /** Calls append, and lets happen what can. */
  async append(log: Log, letter: string): Promise<Attempt> {
    const attempt: Attempt = { outcome: 'pending' };
    this.#attempts.set(letter, attempt);
    log.append(new TextEncoder().encode(letter)).then(
      () => {
        attempt.outcome = 'acknowledged';
      },
      (error: ElanusError) => {
        attempt.outcome = error.details['outcome'] === 'not-written' ? 'not-written' : 'unknown';
      },
    );
    await settle();
    return attempt;
  }

  async appendAll(log: Log, letters: string): Promise<void> {
    for (const letter of letters) await this.append(log, letter);
  }

  /** Folds `letters`, which lie below `position`, into a checkpoint. */
  fold(letters: string): void {
    this.#folded += letters;
  }

  collectGarbage(process: Process): Promise<number> {
    return collectLogGarbage(process.store, CHANNEL, { clock, random: this.#random }, this.#rules);
  }

  /** Reads from a position; resolves to the letters, or to the code of the rejection. */
  async read(from: Pick<LogReader, 'read'>, position: Position = POSITION_START): Promise<string> {
    let letters = '';
    try {
      for await (const { bytes } of from.read(position)) letters += new TextDecoder().decode(bytes);
    } catch (error) {
      return codeOf(error);
    }
    return letters;
  }

  /** States what must be so. */
  expect(claim: string, holds: boolean): void {
    if (!holds) this.violations.push(claim);
  }

  /** Opens once more from a position, and holds what is there against what was said. */
  async audit(term: number, from: Position = POSITION_START): Promise<void> {
    await settle();
    const seen = this.#folded + (await this.read(await this.open(this.process(), term), from));
    for (const [letter, { outcome }] of this.#attempts) {
      if (outcome === 'acknowledged')
        this.expect(`${letter} was acknowledged, and ${seen} lacks it`, seen.includes(letter));
      if (outcome === 'not-written')
        this.expect(`${letter} was not written, and is in ${seen}`, !seen.includes(letter));
    }
  }
}
