import { codeOf, ElanusError } from '../base/error.ts';
import { DELETE_KEYS_MAX, LOG_APPENDS_IN_FLIGHT_MAX, LOG_ENTRY_BYTES_MAX } from '../model/limits.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { encodeData, encodeFence, FRAME_HEADER_BYTES } from './frame.ts';
import { comparePositions, type Log, type LogEntry, type LogReader, type LogStore, type Position } from './log.ts';
import { type LogHost, LogObjects, type LogRoot, logPrefix, positionOf, type StoredRoot } from './log-objects.ts';
import { findTail, firstIndex, readLog } from './log-read.ts';

/**
 * Logs on any object store (after Woodpecker's zero-disk log): one create-only object for each append, one root that is
 * replaced at each opening and truncation.
 *
 * An opening fences the term before it: it puts a frame into that term's next slot, so that the stalled owner's append
 * into the slot cannot succeed, and publishes how many frames the term has. Appends are acknowledged in order, so one
 * fence stops however many are under way.
 */
export function objectLogStore(store: ObjectStore, host: LogHost): LogStore {
  return {
    open: (channel, term) => openObjectLog(new LogObjects(store, channel, host), term),
    reader: (channel) => new ObjectLogReader(new LogObjects(store, channel, host)),
  };
}

class ObjectLogReader implements LogReader {
  readonly #objects: LogObjects;

  constructor(objects: LogObjects) {
    this.#objects = objects;
  }

  read(from: Position): AsyncIterable<LogEntry> {
    return readLog(this.#objects, from);
  }

  async truncatedTo(): Promise<Position> {
    return (await this.#objects.readRoot()).root.truncatedTo;
  }
}

async function openObjectLog(objects: LogObjects, term: number): Promise<Log> {
  for (;;) {
    const stored = await objects.readRoot();
    const { root } = stored;
    if (root.term >= term) throw fenced(objects.channel, term, root.term);
    const sealed = [...root.sealed];
    if (root.term > 0) {
      const count = await fence(objects, root, term);
      // A fence where frames were published: the root that was read is old.
      if (count === undefined) continue;
      sealed.push([root.term, count]);
    }
    try {
      const opened = await objects.writeRoot({ term, sealed, truncatedTo: root.truncatedTo }, stored.version);
      return new ObjectLog(objects, opened);
    } catch (error) {
      // Another has opened, or the owner truncated: go on from what the root says now.
      if (codeOf(error) !== 'conflict') throw error;
    }
  }
}

/** Ends the log of the root's term; gives the number of its frames. */
async function fence(objects: LogObjects, root: LogRoot, fencingTerm: number): Promise<number | undefined> {
  const { term } = root;
  let index = await findTail(objects, term, firstIndex(root, term));
  for (;;) {
    const position = { term, index };
    try {
      await objects.createFrame(position, encodeFence(position, fencingTerm, objects.host.random));
      return index;
    } catch (error) {
      if (codeOf(error) !== 'conflict') throw error;
    }
    const header = await objects.readHeader(position);
    // The fence of an opener that crashed or lost: it stands just as well.
    if (header?.kind === 'fence') return index;
    // Deleted since: somebody truncates past this slot, so the root has changed.
    if (header === undefined) return undefined;
    index += 1;
  }
}

interface Append {
  readonly index: number;
  readonly created: Promise<void>;
}

class ObjectLog implements Log {
  readonly #objects: LogObjects;
  readonly #term: number;
  #stored: StoredRoot;
  #next = 0;
  /** Appends that are not acknowledged, oldest first. */
  readonly #unacknowledged: Append[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  /** Why nothing more can be appended. */
  #broken: unknown;
  #closed = false;

  constructor(objects: LogObjects, stored: StoredRoot) {
    this.#objects = objects;
    this.#stored = stored;
    this.#term = stored.root.term;
  }

  async append(bytes: Uint8Array): Promise<Position> {
    if (bytes.byteLength === 0 || bytes.byteLength > LOG_ENTRY_BYTES_MAX) {
      throw new ElanusError('invalid', `A log entry has 1 to ${LOG_ENTRY_BYTES_MAX} bytes, not ${bytes.byteLength}.`);
    }
    const payload = bytes.slice();
    // Slots are taken in the order of the calls; slot i + 4 only after slot i was acknowledged.
    const turn = this.#tail.then(() => this.#send(payload));
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    );
    const append = await turn;
    return this.#acknowledged(append);
  }

  async #send(payload: Uint8Array): Promise<{ readonly append: Append; readonly before: Promise<void> }> {
    while (this.#unacknowledged.length >= LOG_APPENDS_IN_FLIGHT_MAX) {
      await this.#unacknowledged[0]?.created.catch(() => undefined);
      await undefined;
    }
    this.#refuseIfEnded();
    const position = { term: this.#term, index: this.#next++ };
    const frame = encodeData(position, payload, this.#objects.host.random);
    const before = this.#lastAcknowledgement;
    const created = this.#objects.createFrame(position, frame);
    created.catch(() => undefined);
    const append = { index: position.index, created };
    this.#unacknowledged.push(append);
    this.#lastAcknowledgement = this.#inOrder(append, before);
    this.#lastAcknowledgement.catch(() => undefined);
    return { append, before: this.#lastAcknowledgement };
  }

  #lastAcknowledgement: Promise<void> = Promise.resolve();

  /** Resolves once this append and all before it lie in the store. */
  async #inOrder(append: Append, before: Promise<void>): Promise<void> {
    const [earlier, own] = await Promise.allSettled([before, append.created]);
    this.#unacknowledged.splice(this.#unacknowledged.indexOf(append), 1);
    if (earlier.status === 'rejected') throw await this.#verdict(append.index, earlier.reason);
    if (own.status === 'rejected') throw await this.#verdict(append.index, own.reason);
  }

  async #acknowledged({
    append,
    before,
  }: {
    readonly append: Append;
    readonly before: Promise<void>;
  }): Promise<Position> {
    await before;
    return { term: this.#term, index: append.index };
  }

  /**
   * What a failed append means (CHANNEL.md R9). A fence in the slot alone decides nothing: the root does. If this term
   * is still the root's, or the root lists it with a count at or below the slot, the frame and all after it are
   * certainly not in the log; anything else stays unknown, and the newer owner decides.
   */
  async #verdict(index: number, cause: unknown): Promise<unknown> {
    this.#broken ??= cause;
    const unknown = new ElanusError('unavailable', `Whether ${this.#name(index)} was written is unknown.`, {
      cause,
      details: { channel: this.#objects.channel, outcome: 'unknown' },
    });
    if (codeOf(cause) !== 'conflict' && codeOf(cause) !== 'fenced') return unknown;
    try {
      const { root } = await this.#objects.readRoot();
      const count = root.sealed.find(([term]) => term === this.#term)?.[1];
      const failed = root.term === this.#term || (count !== undefined && index >= count);
      return failed ? fenced(this.#objects.channel, this.#term, root.term) : unknown;
    } catch {
      return unknown;
    }
  }

  read(from: Position): AsyncIterable<LogEntry> {
    return readLog(this.#objects, from);
  }

  /**
   * Writes the root first, then deletes frames: a reader that finds a slot empty can tell from the root whether it is
   * the tail. Fences stay for ever, and so does the newest frame: an owner that was stalled must never find the slot
   * free that it is about to write.
   */
  async truncate(below: Position): Promise<void> {
    const { root } = this.#stored;
    if (comparePositions(below, root.truncatedTo) <= 0) return;
    const sealed = root.sealed.filter(([term]) => term >= below.term);
    try {
      this.#stored = await this.#objects.writeRoot({ ...root, sealed, truncatedTo: below }, this.#stored.version);
    } catch (error) {
      if (codeOf(error) !== 'conflict') throw error;
      this.#broken ??= error;
      throw fenced(this.#objects.channel, this.#term, (await this.#objects.readRoot()).root.term);
    }
    const doomed: Position[] = [];
    for (const [term, count] of [...root.sealed, [this.#term, this.#next - 1] as const]) {
      const end = term < below.term ? count : term === below.term ? Math.min(below.index, count) : 0;
      for (let index = firstIndex(root, term); index < end; index++) doomed.push({ term, index });
    }
    for (let start = 0; start < doomed.length; start += DELETE_KEYS_MAX) {
      await this.#objects.deleteFrames(doomed.slice(start, start + DELETE_KEYS_MAX));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
    await this.#lastAcknowledgement.catch(() => undefined);
  }

  #refuseIfEnded(): void {
    if (this.#broken !== undefined) {
      throw new ElanusError('fenced', `The log of ${this.#objects.channel} ended at a failed append.`, {
        cause: this.#broken,
        details: { channel: this.#objects.channel, outcome: 'not-written' },
      });
    }
    if (this.#closed) {
      throw new ElanusError('closed', `The log of ${this.#objects.channel} is closed.`, {
        details: { outcome: 'not-written' },
      });
    }
  }

  #name(index: number): string {
    return `frame ${this.#term}/${index} of ${this.#objects.channel}`;
  }
}

/**
 * Deletes the frames below the truncation point that a crash between root and deletes, or a late duplicate, has left.
 * Only the channel's owner may call it. Fences, which are headers alone, and the newest frame stay.
 */
export async function collectLogGarbage(store: ObjectStore, channel: string, host: LogHost): Promise<number> {
  const prefix = logPrefix(channel);
  const listed: Position[] = [];
  for await (const { key, size } of store.list(prefix)) {
    const position = positionOf(key, prefix);
    if (position !== undefined && size > FRAME_HEADER_BYTES) listed.push(position);
  }
  const objects = new LogObjects(store, channel, host);
  const { root } = await objects.readRoot();
  const newest = listed.reduce((last, position) => (comparePositions(position, last) > 0 ? position : last), {
    term: 0,
    index: 0,
  });
  const doomed = listed.filter(
    (position) => comparePositions(position, root.truncatedTo) < 0 && comparePositions(position, newest) !== 0,
  );
  for (let start = 0; start < doomed.length; start += DELETE_KEYS_MAX) {
    await objects.deleteFrames(doomed.slice(start, start + DELETE_KEYS_MAX));
  }
  return doomed.length;
}

function fenced(channel: string, term: number, newer: number): ElanusError {
  return new ElanusError('fenced', `Term ${term} no longer owns the log of ${channel}: term ${newer} has opened it.`, {
    details: { channel, term, outcome: 'not-written' },
  });
}
