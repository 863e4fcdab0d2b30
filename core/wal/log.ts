import type { Brand } from '../base/brand.ts';

/** Which owner of a channel; grows by at least one at each takeover. A non-negative safe integer. */
export type Term = Brand<number, 'Term'>;

/** A place in a channel's log. Ordered by term, then by index; indexes are contiguous within a term. */
export interface Position {
  readonly term: number;
  readonly index: number;
}

/** Before everything that any log holds. */
export const POSITION_START: Position = { term: 0, index: 0 };

/** Negative if `a` lies before `b`, zero if they are equal, positive otherwise. */
export function comparePositions(a: Position, b: Position): number {
  return a.term - b.term || a.index - b.index;
}

/** The place after `position` within its term. */
export function nextPosition(position: Position): Position {
  return { term: position.term, index: position.index + 1 };
}

/** What was appended, and where it lies. */
export interface LogEntry {
  readonly position: Position;
  readonly bytes: Uint8Array;
}

/**
 * The durable, ordered tail of one channel, held by one owner.
 *
 * - An append that resolved is read by every later `read`, by any owner, until it is truncated.
 * - Appends become readable in the order in which they were called; they resolve in that order.
 * - Once a newer term has opened, no append resolves: each rejects with `fenced` (certainly not in the log)
 *   or `unavailable` (the newer owner decides whether it is).
 * - What was read once is a prefix of what is read later.
 * - A rejected append says in `details.outcome` what is known: `not-written` (it is not in the log and never will be) or
 *   `unknown`. After one that was sent and failed, all later ones reject: a gap may lie in the log. The exception is
 *   `quota`: the store is full, nothing was written, and the log takes appends again as soon as there is room.
 */
export interface Log {
  /** Appends one entry (1 byte to `LOG_ENTRY_BYTES_MAX`); durable when it resolves. */
  append(bytes: Uint8Array): Promise<Position>;
  /**
   * Yields the entries from `from` (inclusive) to the tail as found at this call, in order.
   * Rejects with `stale` and `details.reason === 'truncated'` if `from` lies below the truncation point, or if the
   * truncation overtakes the read: it never skips. Rejects with `fenced`, perhaps at the end, if a newer term has opened.
   */
  read(from: Position): AsyncIterable<LogEntry>;
  /**
   * Allows the log to forget the entries strictly below `below`, but never the newest. Rejects with `fenced`, and forgets
   * nothing, once a newer term has opened.
   */
  truncate(below: Position): Promise<void>;
  /**
   * Stops appending: appends that wait, and later ones, reject with `closed`; resolves when those on their way have ended.
   * The log can be opened again with a greater term.
   */
  close(): Promise<void>;
}

/** What a reader without a claim needs of a log: DESIGN §4, "To read". */
export interface LogReader {
  /** As `Log.read`, without `fenced`: terms may open meanwhile. An entry that is not acknowledged yet may be read. */
  read(from: Position): AsyncIterable<LogEntry>;
  /** The first position that has not been truncated, as the log's root says now. */
  truncatedTo(): Promise<Position>;
}

/** The logs of one host: opened by owners, read by anyone. */
export interface LogStore {
  /** Opens a channel's log with `term` and fences every owner with a smaller one. Rejects with `fenced` if a term ≥ `term` has opened. */
  open(channel: string, term: number): Promise<Log>;
  /** Reads a channel's log without a claim and without a write. */
  reader(channel: string): LogReader;
}
