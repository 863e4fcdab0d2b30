import { codeOf, ElanusError } from '../base/error.ts';
import { RECORD_BYTES_MAX } from '../model/limits.ts';
import type { Clock } from '../time/clock.ts';
import { encodeLogBatch, recordBytes, type StampedRecord } from './batch.ts';
import type { Log, Position } from './log.ts';

/** A batch that gathers while another is under way is closed at about this size, and sent beside it. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_RECORDS_MAX = 4_096;
/** Appends under way at a time: the window of the log. */
const IN_FLIGHT_MAX = 4;
/** What may wait to be sent: past it a write is refused, and nothing of it was written. */
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const QUEUE_RECORDS_MAX = 16_384;

/** A batch that the log has acknowledged. */
export interface CommittedBatch {
  readonly position: Position;
  readonly records: readonly StampedRecord[];
  /** Bytes of the log entry. */
  readonly frameBytes: number;
}

export interface WalOptions {
  readonly clock: Clock;
  /** Makes sure that `count` timestamps are at hand; runs before a batch is closed. */
  readonly prepare: (count: number) => Promise<void>;
  /** The next timestamp: strictly increasing. */
  readonly stamp: () => bigint;
  /** Hears of each batch, in log order, before the writers of its records do. */
  readonly onCommitted: (batch: CommittedBatch) => void;
  /**
   * Latency that a write gives up so that others may join its batch: milliseconds, 0 by default. With 0 an idle channel
   * writes at once, and batches form only while a write is under way.
   */
  readonly gatherMs?: number;
  /**
   * Money: at most this many log objects a second (R2 takes about $4.50 for a million). None by default: as many as
   * there are.
   */
  readonly putsPerSecond?: number;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: (committed: { readonly timestamp: bigint; readonly position: Position }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit over a log: an idle channel commits a record at once; while an append is under way the next batch
 * gathers. So a lone writer waits for one write of the store, and many writers share each.
 *
 * Records become durable in the order in which `commit` was called, with growing timestamps. After a failed append
 * nothing more is appended: the log's tail is unknown, and its owner has to claim the channel anew.
 */
export class Wal {
  readonly #log: Log;
  readonly #options: WalOptions;
  #queue: Waiting[] = [];
  #queueBytes = 0;
  /** Timestamps of the newest record of each append under way, oldest first, and the end of that append. */
  readonly #inFlight: { readonly newest: bigint; readonly done: Promise<void> }[] = [];
  #pumping: Promise<void> | undefined;
  #broken: unknown;
  #closed = false;
  #lastPutAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log, options: WalOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** Whether an append has failed: its owner appends nothing more. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** Appends one record; resolves when it is durable. Rejects before anything is written if it is too large. */
  commit(bytes: Uint8Array): Promise<{ readonly timestamp: bigint; readonly position: Position }> {
    if (this.#closed) return Promise.reject(notWritten('closed', 'The log is closed.'));
    if (this.#broken !== undefined) return Promise.reject(notWritten('fenced', 'An earlier append failed.', this.#broken));
    if (bytes.byteLength > RECORD_BYTES_MAX) {
      return Promise.reject(
        new ElanusError('invalid', `A record of ${bytes.byteLength} bytes is larger than ${RECORD_BYTES_MAX}.`),
      );
    }
    if (this.#queue.length >= QUEUE_RECORDS_MAX || this.#queueBytes + bytes.byteLength > QUEUE_BYTES_MAX) {
      return Promise.reject(notWritten('overloaded', 'Too many writes wait for the log; write again in a moment.'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, resolve, reject });
      this.#queueBytes += bytes.byteLength;
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when no record at or below `timestamp` is under way any more. */
  async settled(timestamp: bigint): Promise<void> {
    const under = this.#inFlight.filter((append) => append.newest <= timestamp);
    // An append is acknowledged after all before it, but its own oldest record may lie below while its newest does not.
    const next = this.#inFlight.find((append) => append.newest > timestamp);
    await Promise.all([...under, ...(next === undefined ? [] : [next])].map((append) => append.done));
  }

  /** Waits for what was committed, then appends nothing more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#pumping !== undefined || this.#inFlight.length > 0) {
      await this.#pumping;
      await Promise.all(this.#inFlight.map((append) => append.done));
    }
  }

  async #pump(): Promise<void> {
    try {
      const { gatherMs } = this.#options;
      if (gatherMs !== undefined && gatherMs > 0) await this.#options.clock.sleep(gatherMs);
      while (this.#queue.length > 0 && this.#broken === undefined) {
        await this.#budget();
        await this.#window();
        if (this.#broken !== undefined) break;
        const count = Math.min(this.#queue.length, BATCH_RECORDS_MAX);
        await this.#options.prepare(count);
        this.#send(count);
      }
    } catch (error) {
      // No timestamps were to be had: nothing of the queue was sent, and the log is as good as before.
      this.#refuseQueue(error);
    } finally {
      this.#pumping = undefined;
    }
    if (this.#broken !== undefined) this.#refuseQueue(notWritten('fenced', 'An earlier append failed.', this.#broken));
  }

  /** Waits until the next batch may be sent: at once if nothing is under way, else when there is a full batch, or room. */
  async #window(): Promise<void> {
    while (this.#inFlight.length > 0 && this.#broken === undefined) {
      const full = this.#queueBytes >= BATCH_BYTES || this.#queue.length >= BATCH_RECORDS_MAX;
      if (full && this.#inFlight.length < IN_FLIGHT_MAX) return;
      await this.#inFlight[0]?.done;
    }
  }

  async #budget(): Promise<void> {
    const { putsPerSecond, clock } = this.#options;
    if (putsPerSecond === undefined) return;
    const wait = this.#lastPutAt + 1_000 / putsPerSecond - clock.now();
    if (wait > 0) await clock.sleep(wait);
    this.#lastPutAt = clock.now();
  }

  /** Closes the batch: stamps its records and begins its append, in one step. */
  #send(count: number): void {
    const batch: Waiting[] = [];
    let size = 0;
    while (batch.length < count) {
      const next = this.#queue[batch.length];
      if (next === undefined || (batch.length > 0 && size + next.bytes.byteLength > BATCH_BYTES)) break;
      batch.push(next);
      size += recordBytes(next.bytes.byteLength);
    }
    this.#queue = this.#queue.slice(batch.length);
    for (const { bytes } of batch) this.#queueBytes -= bytes.byteLength;
    const records = batch.map(({ bytes }) => ({ timestamp: this.#options.stamp(), bytes }));
    const newest = records.at(-1)?.timestamp ?? 0n;
    const entry = encodeLogBatch(records);
    const done = this.#log.append(entry).then(
      (position) => this.#acknowledge(batch, { position, records, frameBytes: entry.byteLength }),
      (error: unknown) => this.#fail(batch, error),
    );
    const append = { newest, done };
    this.#inFlight.push(append);
    void done.finally(() => this.#inFlight.splice(this.#inFlight.indexOf(append), 1));
  }

  #acknowledge(batch: readonly Waiting[], committed: CommittedBatch): void {
    try {
      this.#options.onCommitted(committed);
    } catch (error) {
      // What is durable could not be taken in: memory and log differ, so this owner ends.
      this.#broken ??= error;
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const [at, { resolve }] of batch.entries()) {
      resolve({ timestamp: committed.records[at]?.timestamp ?? 0n, position: committed.position });
    }
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    this.#broken ??= error;
    for (const { reject } of batch) reject(error);
  }

  #refuseQueue(error: unknown): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#queueBytes = 0;
    for (const { reject } of queue) reject(error);
  }
}

/** A rejection of a record that was certainly not written. */
function notWritten(code: 'closed' | 'fenced' | 'overloaded', message: string, cause?: unknown): ElanusError {
  const details = { outcome: 'not-written', ...(cause === undefined ? {} : { reason: codeOf(cause) }) };
  return new ElanusError(code, message, { details, ...(cause === undefined ? {} : { cause }) });
}
