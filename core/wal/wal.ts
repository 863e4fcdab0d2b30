import { codeOf, ElanusError } from '../base/error.ts';
import { LOG_APPENDS_IN_FLIGHT_MAX, LOG_ENTRY_BYTES_MAX, RECORD_BYTES_MAX, TAIL_BYTES_MAX } from '../model/limits.ts';
import type { Clock } from '../time/clock.ts';
import { TIMESTAMP_ZERO, type Timestamp } from '../time/timestamp.ts';
import { BATCH_HEADER_BYTES, encodeLogBatch, recordBytes, type StampedRecord } from './batch.ts';
import type { Log, Position } from './log.ts';

/** A batch that has as many bytes is sent though others are in flight: larger ones gain little, and cost memory. */
const BATCH_BYTES_TARGET = 1024 * 1024;
const BATCH_RECORDS_MAX = 4_096;
/** What may wait to be sent; past either bound a commit is `overloaded`. */
const QUEUE_BYTES_MAX = TAIL_BYTES_MAX;
const QUEUE_RECORDS_MAX = 16_384;
/** How often timestamps are prepared for one batch: a read may take away a prepared range before it is stamped. */
const STAMP_ATTEMPTS_MAX = 4;

/** One frame that the log has acknowledged. */
export interface CommittedBatch {
  readonly position: Position;
  /** In log order, with strictly increasing timestamps. */
  readonly records: readonly StampedRecord[];
  /** Bytes of the log entry that holds them. */
  readonly frameBytes: number;
}

/** What group commit may cost, in the units that users pay in. */
export interface GroupCommitCost {
  /** Latency given for fewer writes to the store: a batch waits this long for company. Default 0 milliseconds. */
  readonly gatherMs?: number;
  /** The most writes to the store in a second, which is what object storage charges for. Default: no budget. */
  readonly putsPerSecond?: number;
}

export interface WalOptions extends GroupCommitCost {
  readonly clock: Clock;
  /** The next timestamp, greater than all before. Called when a batch closes, for all its records in one turn. */
  readonly stamp: () => Timestamp;
  /** Makes sure that `count` timestamps are at hand; called before a batch closes. If it rejects, nothing is written. */
  readonly prepare?: (count: number) => Promise<void>;
  /** Called for each acknowledged frame, in log order, before the commits of its records resolve. Must not throw. */
  readonly onCommitted?: (entry: CommittedBatch) => void;
}

/** What a commit resolves to. */
export interface Commit {
  readonly position: Position;
  readonly timestamp: Timestamp;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: (commit: Commit) => void;
  readonly reject: (error: unknown) => void;
}

interface Flight {
  readonly firstTimestamp: Timestamp;
  readonly ended: Promise<void>;
}

/**
 * Adaptive group commit above a log: an idle channel commits at once; while an append is in flight the next batch
 * gathers, and is sent when the log is idle again or `BATCH_BYTES_TARGET` is reached, with up to four in flight. So a
 * slow store or a busy channel makes larger batches by itself, and nothing waits unless `gatherMs` or `putsPerSecond`
 * asks for it.
 *
 * - Timestamps are stamped when a batch closes, strictly increasing in log order.
 * - A frame's `onCommitted` is called when the log acknowledged it, before the commits of its records resolve.
 * - A commit that rejects says in `details.outcome` what is known: `not-written` (certain) or `unknown`.
 * - After an append failed, this WAL is broken: everything later rejects, for a hole may lie in the log. Only a full
 *   store (`quota`) leaves no hole: the WAL goes on.
 */
export class Wal {
  readonly #log: Log;
  readonly #options: WalOptions;
  readonly #queue: Waiting[] = [];
  readonly #flights = new Set<Flight>();
  #queueBytes = 0;
  #lastStamped: Timestamp = TIMESTAMP_ZERO;
  #failure: ElanusError | undefined;
  #isClosed = false;
  /** Those that wait for the WAL to have nothing more to do. */
  readonly #whenIdle: (() => void)[] = [];
  /** A batch is being closed: its timestamps are being prepared. */
  #closing: Promise<void> | undefined;
  /** The oldest waiting record still waits for company. */
  #isGathering = false;
  /** The budget of writes is used up for now. */
  #isOverBudget = false;

  constructor(log: Log, options: WalOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** The newest timestamp given to a record, acknowledged or not; 0 before the first. */
  get lastStamped(): Timestamp {
    return this.#lastStamped;
  }

  /** Batches sent and not yet acknowledged. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** An append failed: open the log again with a greater term. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Writes one record (1 byte to `RECORD_BYTES_MAX`); durable, and `onCommitted` called, when it resolves. `bytes` must
   * not change until then. Rejects with `invalid`, `overloaded` (too much is waiting), `quota` (the store is full),
   * `closed`, `fenced`, or `unavailable`.
   */
  async commit(bytes: Uint8Array): Promise<Commit> {
    const size = bytes.byteLength;
    if (size < 1 || size > RECORD_BYTES_MAX) {
      const message = `A record has 1 to ${RECORD_BYTES_MAX} bytes, and this one has ${size}. Send fewer rows at once.`;
      throw new ElanusError('invalid', message, { details: { size, sizeMax: RECORD_BYTES_MAX } });
    }
    this.#refuseStopped();
    if (this.#queue.length >= QUEUE_RECORDS_MAX || this.#queueBytes + size > QUEUE_BYTES_MAX) {
      const message = `${this.#queue.length} records with ${this.#queueBytes} bytes wait to be written. Write again later.`;
      throw new ElanusError('overloaded', message, { details: { outcome: 'not-written' } });
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, resolve, reject });
      this.#queueBytes += size;
      if (this.#queue.length === 1) this.#startGathering();
      this.#pump();
    });
  }

  /**
   * Waits until no record stamped at or below `upTo` is in flight. Rejects if the WAL is broken: then a record at or
   * below `upTo` may be in the log without this owner knowing it.
   */
  async settled(upTo: Timestamp): Promise<void> {
    for (const flight of [...this.#flights]) if (flight.firstTimestamp <= upTo) await flight.ended;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes no more commits, and waits until those that were taken have ended. The log stays open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pump();
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
      this.#tellIdle();
    });
  }

  #tellIdle(): void {
    if (this.#queue.length > 0 || this.#flights.size > 0) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
  }

  #refuseStopped(): void {
    if (this.#failure !== undefined) throw notWritten(this.#failure);
    if (this.#isClosed) throw stopped('closed', 'The log is closed');
  }

  /** Closes and sends a batch if one is due. */
  #pump(): void {
    this.#tellIdle();
    if (this.#closing !== undefined || !this.#isDue()) return;
    this.#closing = this.#closeBatch().finally(() => {
      this.#closing = undefined;
      if (this.#queue.length > 0) this.#startGathering();
      this.#pump();
    });
  }

  #isDue(): boolean {
    if (this.#queue.length === 0 || this.#isOverBudget || this.#failure !== undefined) return false;
    if (this.#queueBytes >= BATCH_BYTES_TARGET || this.#queue.length >= BATCH_RECORDS_MAX) {
      return this.#flights.size < LOG_APPENDS_IN_FLIGHT_MAX;
    }
    return this.#flights.size === 0 && (!this.#isGathering || this.#isClosed);
  }

  #startGathering(): void {
    const { gatherMs = 0, clock } = this.#options;
    if (gatherMs <= 0 || this.#isGathering) return;
    this.#isGathering = true;
    void clock.sleep(gatherMs).then(() => {
      this.#isGathering = false;
      this.#pump();
    });
  }

  /** Never rejects: what fails is told to those who wait. */
  async #closeBatch(): Promise<void> {
    // One turn, so that commits of the same turn share a batch.
    await undefined;
    for (let attempt = 1; ; attempt++) {
      const count = this.#countForBatch();
      if (count === 0) return;
      try {
        await this.#options.prepare?.(count);
        if (this.#queue.length < count) return;
        this.#send(count);
        return;
      } catch (error) {
        if (codeOf(error) === 'internal' && attempt < STAMP_ATTEMPTS_MAX) continue;
        this.#rejectQueue(stopped(codeOf(error), messageOf(error), error));
        return;
      }
    }
  }

  /** How many of the waiting records the next batch takes: up to the target, at least one. */
  #countForBatch(): number {
    let bytes = BATCH_HEADER_BYTES;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += recordBytes(waiting.bytes.byteLength);
      if (count > 0 && bytes > LOG_ENTRY_BYTES_MAX) break;
      count++;
      if (bytes >= BATCH_BYTES_TARGET || count === BATCH_RECORDS_MAX) break;
    }
    return count;
  }

  /** Stamps and appends the first `count` waiting records, in one turn. Throws, with nothing taken, if it cannot stamp. */
  #send(count: number): void {
    const records = this.#queue.slice(0, count).map(({ bytes }) => ({ timestamp: this.#options.stamp(), bytes }));
    const frame = encodeLogBatch(records);
    const batch = this.#queue.splice(0, count);
    for (const { bytes } of batch) this.#queueBytes -= bytes.byteLength;
    this.#lastStamped = records.at(-1)?.timestamp ?? this.#lastStamped;
    this.#spendBudget();
    const flight: Flight = {
      firstTimestamp: records[0]?.timestamp ?? TIMESTAMP_ZERO,
      ended: this.#log.append(frame).then(
        (position) => {
          this.#flights.delete(flight);
          this.#acknowledge(position, records, batch, frame.byteLength);
        },
        (error: unknown) => {
          this.#flights.delete(flight);
          if (codeOf(error) !== 'quota') this.#break(error);
          for (const { reject } of batch) reject(error);
          this.#pump();
        },
      ),
    };
    this.#flights.add(flight);
  }

  #acknowledge(
    position: Position,
    records: readonly StampedRecord[],
    batch: readonly Waiting[],
    frameBytes: number,
  ): void {
    try {
      this.#options.onCommitted?.({ position, records, frameBytes });
    } catch (error) {
      // The frame is in the log, and its owner could not take it: what the owner knows is no longer the log.
      this.#break(error);
      for (const { reject } of batch) reject(error);
      this.#tellIdle();
      return;
    }
    for (const [index, { resolve }] of batch.entries()) {
      resolve({ position, timestamp: records[index]?.timestamp ?? TIMESTAMP_ZERO });
    }
    this.#pump();
  }

  #spendBudget(): void {
    const { putsPerSecond, clock } = this.#options;
    if (putsPerSecond === undefined) return;
    this.#isOverBudget = true;
    void clock.sleep(1000 / putsPerSecond).then(() => {
      this.#isOverBudget = false;
      this.#pump();
    });
  }

  #break(error: unknown): void {
    this.#failure ??=
      error instanceof ElanusError ? error : new ElanusError('internal', messageOf(error), { cause: error });
    this.#rejectQueue(notWritten(this.#failure));
  }

  #rejectQueue(error: ElanusError): void {
    this.#queueBytes = 0;
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }
}

/** The error of a record that was never sent because an append failed: certainly not in the log. */
function notWritten(cause: unknown): ElanusError {
  const code = codeOf(cause);
  return stopped(code === 'fenced' ? code : 'closed', messageOf(cause), cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stopped(code: ElanusError['code'], why: string, cause?: unknown): ElanusError {
  return new ElanusError(code, `The record was not written: ${why.replace(/\.$/, '')}.`, {
    details: { outcome: 'not-written' },
    ...(cause === undefined ? {} : { cause }),
  });
}
