import { codeOf, ElanusError } from '../base/error.ts';
import { Mutex } from '../base/mutex.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { comparePositions, type Log, type LogEntry, type LogReader, type LogStore, type Position } from './log.ts';
import { Appender } from './log-append.ts';
import { fencedError } from './log-errors.ts';
import { type LogHost, LogObjects, type LogRoot, type StoredRoot } from './log-objects.ts';
import { openTerm } from './log-open.ts';
import { firstIndex, readLog } from './log-read.ts';
import { LOG_RULES, type LogRules } from './log-rules.ts';

export { collectLogGarbage } from './log-garbage.ts';

/** How often a truncation begins again because the root that it replaced was not the one that it knew. */
const TRUNCATE_ATTEMPTS_MAX = 4;

/**
 * Logs on any object store: one create-only object for each append, and one root that is replaced at each opening and
 * truncation. The protocol is Woodpecker's, with SlateDB's nonce: `LogRules` has each of its decisions.
 *
 * An opening fences the term before it: it puts a frame into that term's next slot, so that the append of a stalled owner
 * into this slot cannot succeed, and publishes how many frames the term has. Appends are acknowledged in order, so one
 * fence stops however many are in flight.
 */
export function objectLogStore(store: ObjectStore, host: LogHost, rules: LogRules = LOG_RULES): LogStore {
  return {
    async open(channel: string, term: number): Promise<Log> {
      const objects = new LogObjects(store, channel, host);
      return new ObjectLog(objects, rules, await openTerm(objects, rules, term));
    },
    reader: (channel) => new ObjectLogReader(new LogObjects(store, channel, host), rules),
  };
}

class ObjectLogReader implements LogReader {
  readonly #objects: LogObjects;
  readonly #rules: LogRules;

  constructor(objects: LogObjects, rules: LogRules) {
    this.#objects = objects;
    this.#rules = rules;
  }

  async *read(from: Position): AsyncGenerator<LogEntry> {
    const { root } = await this.#objects.readRoot();
    yield* readLog(this.#objects, this.#rules, { root, acknowledged: undefined }, from);
  }

  async truncatedTo(): Promise<Position> {
    return (await this.#objects.readRoot()).root.truncatedTo;
  }
}

class ObjectLog implements Log {
  readonly #objects: LogObjects;
  readonly #rules: LogRules;
  readonly #term: number;
  readonly #appender: Appender;
  /** One replacement of the root at a time. */
  readonly #rooting = new Mutex();
  #stored: StoredRoot;

  constructor(objects: LogObjects, rules: LogRules, stored: StoredRoot) {
    this.#objects = objects;
    this.#rules = rules;
    this.#stored = stored;
    this.#term = stored.root.term;
    this.#appender = new Appender(objects, rules, this.#term);
  }

  append(bytes: Uint8Array): Promise<Position> {
    return this.#appender.append(bytes);
  }

  /** Reads to the newest acknowledged entry: the owner knows the tail. */
  read(from: Position): AsyncIterable<LogEntry> {
    const view = { root: this.#stored.root, acknowledged: this.#appender.acknowledged };
    return readLog(this.#objects, this.#rules, view, from);
  }

  truncate(below: Position): Promise<void> {
    return this.#rooting.run(() => this.#truncate(below));
  }

  close(): Promise<void> {
    return this.#appender.close();
  }

  async #truncate(below: Position): Promise<void> {
    for (let attempt = 0; attempt < TRUNCATE_ATTEMPTS_MAX; attempt++) {
      const { root, version } = this.#stored;
      const bound = this.#bound(below);
      if (bound === undefined || comparePositions(bound, root.truncatedTo) <= 0) return;
      const sealed = root.sealed.filter(([term]) => term >= bound.term);
      const doomed = this.#doomed(root, bound);
      try {
        await this.#rules.truncate(
          async () => {
            this.#stored = await this.#objects.writeRoot({ term: this.#term, sealed, truncatedTo: bound }, version);
          },
          () => this.#objects.deleteFrames(doomed),
        );
        return;
      } catch (error) {
        if (codeOf(error) !== 'conflict') throw error;
      }
      // Another has opened; or an earlier truncation of this owner took effect though its answer was lost.
      const current = await this.#objects.readRoot();
      if (current.root.term !== this.#term) throw fencedError(this.#objects.channel, this.#term, current.root.term);
      this.#stored = current;
    }
    const message = `The root of the log of channel ${this.#objects.channel} cannot be replaced. Truncate again later.`;
    throw new ElanusError('unavailable', message, { details: { channel: this.#objects.channel } });
  }

  /** `below`, but not past the newest entry, which stays; undefined if there is no entry. */
  #bound(below: Position): Position | undefined {
    const newest = this.#counted(this.#stored.root).findLast(([, count]) => count > 0);
    if (newest === undefined) return undefined;
    const position = { term: newest[0], index: newest[1] - 1 };
    return comparePositions(below, position) < 0 ? below : position;
  }

  /** The frames that a truncation to `bound` gives up. */
  #doomed(root: LogRoot, bound: Position): Position[] {
    const doomed: Position[] = [];
    for (const [term, count] of this.#counted(root)) {
      if (term > bound.term) break;
      const end = term < bound.term ? this.#rules.deletableEnd(count) : Math.min(bound.index, count);
      for (let index = firstIndex(root, term); index < end; index++) doomed.push({ term, index });
    }
    return doomed;
  }

  /** The terms and their numbers of acknowledged frames, this one's too. */
  #counted(root: LogRoot): (readonly [term: number, count: number])[] {
    return [...root.sealed, [this.#term, this.#appender.acknowledged]];
  }
}
