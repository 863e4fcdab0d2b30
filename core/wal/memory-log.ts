import { copyBytes } from '../base/bytes.ts';
import {
  comparePositions,
  type Log,
  type LogEntry,
  type LogReader,
  type LogStore,
  POSITION_START,
  type Position,
} from './log.ts';
import { checkEntry, closedError, fencedError, truncatedError } from './log-errors.ts';

/** One channel's log as all of its owners and readers see it. */
interface Channel {
  term: number | undefined;
  entries: LogEntry[];
  truncatedTo: Position;
}

/**
 * Logs in memory: the reference that other logs are compared with. It forgets everything with the object, and it takes
 * effect a turn after the call, as a remote log does.
 */
export class MemoryLogStore implements LogStore {
  readonly #channels = new Map<string, Channel>();

  async open(name: string, term: number): Promise<Log> {
    await undefined;
    const channel = this.#channel(name);
    if (channel.term !== undefined && channel.term >= term) throw fencedError(name, term, channel.term);
    channel.term = term;
    return new MemoryLog(name, channel, term);
  }

  reader(name: string): LogReader {
    return {
      read: (from) => readEntries(name, this.#channel(name), from),
      truncatedTo: async () => this.#channel(name).truncatedTo,
    };
  }

  #channel(name: string): Channel {
    const channel = this.#channels.get(name) ?? { term: undefined, entries: [], truncatedTo: POSITION_START };
    this.#channels.set(name, channel);
    return channel;
  }
}

/** The log of one owner. */
class MemoryLog implements Log {
  readonly #name: string;
  readonly #channel: Channel;
  readonly #term: number;
  #next = 0;
  #isClosed = false;

  constructor(name: string, channel: Channel, term: number) {
    this.#name = name;
    this.#channel = channel;
    this.#term = term;
  }

  async append(bytes: Uint8Array): Promise<Position> {
    checkEntry(this.#name, bytes);
    if (this.#isClosed) throw closedError(this.#name);
    const copy = copyBytes(bytes);
    await undefined;
    this.#checkTerm();
    const position = { term: this.#term, index: this.#next++ };
    this.#channel.entries.push({ position, bytes: copy });
    return position;
  }

  async *read(from: Position): AsyncGenerator<LogEntry> {
    yield* readEntries(this.#name, this.#channel, from);
    this.#checkTerm();
  }

  async truncate(below: Position): Promise<void> {
    await undefined;
    this.#checkTerm();
    const { entries, truncatedTo } = this.#channel;
    const newest = entries.at(-1);
    if (newest === undefined) return;
    // The newest entry stays, as in every log: it shows where the log ends.
    const bound = comparePositions(below, newest.position) < 0 ? below : newest.position;
    if (comparePositions(bound, truncatedTo) <= 0) return;
    this.#channel.truncatedTo = bound;
    this.#channel.entries = entries.filter(({ position }) => comparePositions(position, bound) >= 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkTerm(): void {
    const { term } = this.#channel;
    if (term !== undefined && term > this.#term) throw fencedError(this.#name, this.#term, term);
  }
}

async function* readEntries(name: string, channel: Channel, from: Position): AsyncIterable<LogEntry> {
  await undefined;
  if (comparePositions(from, channel.truncatedTo) < 0) throw truncatedError(name, from, channel.truncatedTo);
  // A copy of the list: the tail as found at this call.
  const entries = channel.entries.filter(({ position }) => comparePositions(position, from) >= 0);
  for (const { position, bytes } of entries) yield { position, bytes: copyBytes(bytes) };
}
