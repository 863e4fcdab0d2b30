import { codeOf, ElanusError } from '../base/error.ts';
import { encodeData, nonceOf } from './frame.ts';
import type { Position } from './log.ts';
import { checkEntry, closedError, fencedError, fullError, unknownError } from './log-errors.ts';
import type { LogObjects } from './log-objects.ts';
import type { LogRules } from './log-rules.ts';

/** Appends that may wait for the window; more are `overloaded`. */
const QUEUE_MAX = 1024;
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;

interface Append {
  readonly position: Position;
  readonly frame: Uint8Array;
  readonly resolve: (position: Position) => void;
  readonly reject: (error: unknown) => void;
  /** The frame certainly lies in its slot. */
  hasLanded: boolean;
  /** The store was full: the frame certainly does not lie in its slot, and never will. */
  isRefused: boolean;
  isAnswered: boolean;
}

/** From this index on, appends have failed; the frames are certainly not in the log, or nobody knows. */
interface Failure {
  readonly from: number;
  readonly isCertain: boolean;
  readonly cause: unknown;
}

/**
 * The appends of one term: each gets the next slot when it is called, is sent when the window has room, and is
 * acknowledged when it and all before it have landed.
 *
 * When a slot fails, the term is over: its log ends there or nobody knows, so nothing is sent any more. What waits was
 * certainly not written. What was sent at or after the slot is certainly not in the log if the slot's failure is
 * certain, for the log ends at the first gap; else it is unknown.
 *
 * A full store is an exception: if it has refused every frame from a slot on, the log is as it was before they were
 * sent. They are rejected with `quota`, and the next append gets the first of these slots.
 */
export class Appender {
  readonly #objects: LogObjects;
  readonly #rules: LogRules;
  readonly #term: number;
  /** Sent and not acknowledged, oldest first. */
  readonly #sent: Append[] = [];
  readonly #queue: Append[] = [];
  readonly #requests = new Set<Promise<void>>();
  #queueBytes = 0;
  #next = 0;
  #acknowledged = 0;
  #failure: Failure | undefined;
  #isClosed = false;

  constructor(objects: LogObjects, rules: LogRules, term: number) {
    this.#objects = objects;
    this.#rules = rules;
    this.#term = term;
  }

  /** How many entries are acknowledged: the index after the newest. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  async append(bytes: Uint8Array): Promise<Position> {
    checkEntry(this.#objects.channel, bytes);
    if (this.#failure !== undefined || this.#isClosed) throw this.#notSent();
    if (this.#queue.length >= QUEUE_MAX || this.#queueBytes + bytes.byteLength > QUEUE_BYTES_MAX) {
      const message = `${this.#queue.length} entries wait for the log of channel ${this.#objects.channel}. Append later.`;
      throw new ElanusError('overloaded', message, { details: { outcome: 'not-written' } });
    }
    const position = { term: this.#term, index: this.#next++ };
    const frame = encodeData(position, bytes, this.#objects.host.random);
    return new Promise((resolve, reject) => {
      this.#queue.push({ position, frame, resolve, reject, hasLanded: false, isRefused: false, isAnswered: false });
      this.#queueBytes += frame.byteLength;
      this.#send();
    });
  }

  /** Refuses what waits, and waits for the requests that were sent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#refuseQueue();
    while (this.#requests.size > 0) await Promise.all(this.#requests);
  }

  #send(): void {
    while (this.#failure === undefined && this.#queue.length > 0) {
      const unanswered = this.#sent.filter(({ isAnswered }) => !isAnswered).length;
      if (!this.#rules.maySend({ unacknowledged: this.#sent.length, unanswered })) return;
      const append = this.#queue.shift();
      if (append === undefined) return;
      this.#queueBytes -= append.frame.byteLength;
      this.#sent.push(append);
      const request = this.#create(append).finally(() => this.#requests.delete(request));
      this.#requests.add(request);
    }
  }

  /** Never rejects: what fails ends the term. */
  async #create(append: Append): Promise<void> {
    const failure = await this.#putFrame(append);
    append.isAnswered = true;
    append.hasLanded = failure === undefined;
    append.isRefused = failure !== undefined && isFull(failure);
    if (failure !== undefined) this.#fail(failure);
    this.#settle();
  }

  /** Puts a frame into its slot; returns why it is not known to be there. */
  async #putFrame({ position, frame }: Append): Promise<Failure | undefined> {
    const from = position.index;
    try {
      await this.#objects.createFrame(position, frame);
      return undefined;
    } catch (cause) {
      const code = codeOf(cause);
      // A store that refuses, because it is full or busy, has done nothing.
      if (code !== 'conflict') return { from, isCertain: code !== 'unavailable', cause };
    }
    try {
      return await this.#judge(position, nonceOf(frame));
    } catch (cause) {
      return { from, isCertain: false, cause };
    }
  }

  /** What it means that a slot was taken already. Throws if that is not known. */
  async #judge(position: Position, nonce: string): Promise<Failure | undefined> {
    const { channel } = this.#objects;
    const found = await this.#objects.readHeader(position);
    if (this.#rules.isOwnFrame(found, nonce)) return undefined;
    if (found === undefined) throw unknownError(channel, position);
    if (found.kind === 'data') {
      const message = `Another owner with term ${position.term} appends to the log of channel ${channel}.`;
      const cause = new ElanusError('internal', `${message} This is a bug in Elanus.`, { details: { channel } });
      return { from: position.index, isCertain: true, cause };
    }
    const { root } = await this.#objects.readRoot();
    if (!this.#rules.hasFailedForCertain(root, position)) throw unknownError(channel, position);
    return { from: position.index, isCertain: true, cause: fencedError(channel, this.#term, found.fencingTerm) };
  }

  /** Of two failures, the one in the lower slot ends the log. */
  #fail(failure: Failure): void {
    const current = this.#failure;
    if (current === undefined || failure.from < current.from) this.#failure = failure;
    this.#refuseQueue();
  }

  /** Acknowledges what may be, refuses what comes after a failure, and sends what there is room for. */
  #settle(): void {
    for (;;) {
      const at = this.#rules.nextAcknowledged(this.#sent.map(({ hasLanded }) => hasLanded));
      const append = this.#sent[at];
      if (append === undefined || this.#hasFailed(append)) break;
      this.#sent.splice(at, 1);
      this.#acknowledged = Math.max(this.#acknowledged, append.position.index + 1);
      append.resolve(append.position);
    }
    const oldest = this.#sent[0];
    if (oldest !== undefined && this.#hasFailed(oldest)) this.#rejectSent(oldest.position.index);
    this.#send();
  }

  /** Rejects what was sent, all of it at or after a slot that failed. */
  #rejectSent(from: number): void {
    const { cause } = this.#failure as Failure;
    if (isFull(this.#failure as Failure)) {
      // Whether the log can go on is known when all are answered.
      if (!this.#sent.every(({ isAnswered }) => isAnswered)) return;
      if (this.#sent.every(({ isRefused }) => isRefused)) {
        const error = fullError(this.#objects.channel, cause);
        this.#failure = undefined;
        this.#next = from;
        for (const append of this.#sent.splice(0)) append.reject(error);
        return;
      }
    }
    for (const append of this.#sent.splice(0)) append.reject(this.#sentError(append.position));
  }

  #hasFailed({ position }: Append): boolean {
    return this.#failure !== undefined && position.index >= this.#failure.from;
  }

  /** The error of an append that was sent, at or after the slot that failed. */
  #sentError(position: Position): unknown {
    const { isCertain, cause } = this.#failure as Failure;
    if (!isCertain) return unknownError(this.#objects.channel, position, cause);
    const code = codeOf(cause);
    if (code === 'fenced' || code === 'internal') return cause;
    const details = { channel: this.#objects.channel, outcome: 'not-written' };
    const message = `The entry was not written to the log of channel ${this.#objects.channel}: the store refused it.`;
    return new ElanusError(code === 'overloaded' || code === 'quota' ? 'unavailable' : code, message, {
      details,
      cause,
    });
  }

  #refuseQueue(): void {
    this.#queueBytes = 0;
    for (const append of this.#queue.splice(0)) append.reject(this.#notSent());
  }

  /** The error of an append that was never sent. */
  #notSent(): ElanusError {
    const cause = this.#failure?.cause;
    if (codeOf(cause) === 'fenced') return fencedError(this.#objects.channel, this.#term);
    if (!this.#isClosed && codeOf(cause) === 'quota') return fullError(this.#objects.channel, cause);
    return closedError(this.#objects.channel, cause);
  }
}

/** The store refused the frame because it is full. */
function isFull({ isCertain, cause }: Failure): boolean {
  return isCertain && codeOf(cause) === 'quota';
}
