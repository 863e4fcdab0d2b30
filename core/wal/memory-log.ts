import { ElanusError } from '../base/error.ts';
import { LOG_ENTRY_BYTES_MAX } from '../model/limits.ts';
import { comparePositions, type Log, type LogEntry, type LogReader, type LogStore, POSITION_START, type Position } from './log.ts';

interface Channel {
  term: number;
  entries: LogEntry[];
  truncatedTo: Position;
  next: number;
}

/** Logs in memory: the reference that others are compared with. They live as long as the object. */
export class MemoryLogStore implements LogStore {
  readonly #channels = new Map<string, Channel>();

  async open(name: string, term: number): Promise<Log> {
    await undefined;
    const channel = this.#channel(name);
    if (channel.term >= term) throw fenced(name, term);
    channel.term = term;
    channel.next = 0;
    return new MemoryLog(name, channel, term);
  }

  reader(name: string): LogReader {
    return {
      read: (from) => readEntries(this.#channel(name), from),
      truncatedTo: async () => this.#channel(name).truncatedTo,
    };
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { term: 0, entries: [], truncatedTo: POSITION_START, next: 0 };
      this.#channels.set(name, channel);
    }
    return channel;
  }
}

class MemoryLog implements Log {
  readonly #name: string;
  readonly #channel: Channel;
  readonly #term: number;
  #closed = false;

  constructor(name: string, channel: Channel, term: number) {
    this.#name = name;
    this.#channel = channel;
    this.#term = term;
  }

  async append(bytes: Uint8Array): Promise<Position> {
    if (bytes.byteLength === 0 || bytes.byteLength > LOG_ENTRY_BYTES_MAX) {
      throw new ElanusError('invalid', `A log entry has 1 to ${LOG_ENTRY_BYTES_MAX} bytes, not ${bytes.byteLength}.`);
    }
    if (this.#closed) throw new ElanusError('closed', `The log of ${this.#name} is closed.`);
    const copy = bytes.slice();
    await undefined;
    if (this.#channel.term !== this.#term) throw fenced(this.#name, this.#term);
    const position = { term: this.#term, index: this.#channel.next++ };
    this.#channel.entries.push({ position, bytes: copy });
    return position;
  }

  read(from: Position): AsyncIterable<LogEntry> {
    return readEntries(this.#channel, from);
  }

  async truncate(below: Position): Promise<void> {
    await undefined;
    if (this.#channel.term !== this.#term) throw fenced(this.#name, this.#term);
    if (comparePositions(below, this.#channel.truncatedTo) <= 0) return;
    this.#channel.truncatedTo = below;
    this.#channel.entries = this.#channel.entries.filter((entry) => comparePositions(entry.position, below) >= 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

async function* readEntries(channel: Channel, from: Position): AsyncGenerator<LogEntry> {
  const entries = [...channel.entries];
  if (comparePositions(from, channel.truncatedTo) < 0) {
    throw new ElanusError('stale', 'The log was truncated past this position.', { details: { reason: 'truncated' } });
  }
  for (const entry of entries) {
    if (comparePositions(entry.position, from) >= 0) yield { position: entry.position, bytes: entry.bytes.slice() };
  }
}

function fenced(channel: string, term: number): ElanusError {
  return new ElanusError('fenced', `A term of at least ${term} has opened the log of ${channel}.`, { details: { channel } });
}
