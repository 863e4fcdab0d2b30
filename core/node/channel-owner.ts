import { codeOf, ElanusError } from '../base/error.ts';
import { Mutex } from '../base/mutex.ts';
import { tryAll } from '../base/try-all.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { rowsChange } from '../model/change.ts';
import {
  FLUSH_IDLE_MS,
  FLUSH_TAIL_BYTES,
  FLUSH_TAIL_FRAMES,
  GARBAGE_GRACE_MS,
  TAIL_BYTES_MAX,
  TAIL_FRAMES_MAX,
} from '../model/limits.ts';
import type { Platform } from '../platform.ts';
import { TimestampSupply } from '../time/timestamp-supply.ts';
import type { Grower, MemoryGrowth } from '../vector/residency.ts';
import type { Log } from '../wal/log.ts';
import { beforeAppend } from '../wal/log-errors.ts';
import { type CommittedBatch, Wal } from '../wal/wal.ts';
import { announceChange } from './change-feed.ts';
import { flushChannel } from './channel-flush.ts';
import { collectChannelGarbage } from './channel-garbage.ts';
import type { ChannelState } from './channel-state.ts';
import type { CoordinatorPeer, DeleteAnswer, Guarantee, RequestId } from './protocol.ts';
import { SharedProof } from './shared-proof.ts';

/** A record on its way into the log. */
export interface ChannelRecord {
  readonly bytes: Uint8Array;
  /** The id that the record carries. */
  readonly request: RequestId | undefined;
  /** The most memory that it will take once it is acknowledged: promised before it is written. */
  readonly growth: MemoryGrowth;
  /** What its writer is told that it deletes. */
  readonly deleteCount: number;
}

/** Writes that wait for a flush to make room; more are `overloaded`. */
const WAITING_WRITES_MAX = 1024;

/**
 * The owner of a channel for one term: it alone appends to the log, commits the manifest and collects garbage.
 * One manifest edit is prepared at a time (CHANNEL.md R5, R6).
 */
export class ChannelOwner implements Grower {
  readonly state: ChannelState;
  readonly #platform: Platform;
  readonly #coordinator: CoordinatorPeer;
  readonly #channel: string;
  readonly #log: Log;
  readonly #wal: Wal;
  readonly #manifests: ManifestStore;
  readonly #leaveResidency: () => void;
  readonly #supply: TimestampSupply;
  readonly #proof: SharedProof;
  readonly #editing = new Mutex();
  /** Segments and deltas that a flush is writing: safe from garbage collection. */
  readonly #writing = new Set<string>();
  #waitingWrites = 0;
  #lastWriteAt: number;
  #flushing: Promise<void> | undefined;
  #garbageDueAt: number;
  /** No flush begins by itself before this. */
  #flushAgainAt = 0;

  constructor(
    platform: Platform,
    coordinator: CoordinatorPeer,
    parts: {
      readonly channel: string;
      readonly log: Log;
      readonly state: ChannelState;
      readonly manifests: ManifestStore;
    },
  ) {
    this.#platform = platform;
    this.#coordinator = coordinator;
    this.#channel = parts.channel;
    this.#log = parts.log;
    this.state = parts.state;
    this.#manifests = parts.manifests;
    this.#supply = new TimestampSupply(
      (count, above) => coordinator.allocateTimestamps(count, above),
      platform.clock,
      this.state.appliedTo,
    );
    this.#wal = new Wal(parts.log, {
      ...platform.groupCommit,
      clock: platform.clock,
      prepare: (count) => this.#supply.prepare(count),
      stamp: () => this.#supply.stamp(),
      onCommitted: (entry) => this.#committed(entry),
    });
    this.#proof = new SharedProof(() => this.#prove());
    this.#lastWriteAt = platform.clock.now();
    this.#garbageDueAt = this.#lastWriteAt + GARBAGE_GRACE_MS;
    this.#leaveResidency = platform.residency.join(this);
  }

  /** Takes the first range of timestamps: after the log is open, above all that was replayed (CHANNEL.md R3). */
  async prepare(): Promise<void> {
    await this.#supply.prepare(1);
  }

  /** An append failed in a way that leaves the log's tail unknown: this owner appends nothing more. */
  get isBroken(): boolean {
    return this.#wal.isBroken;
  }

  /** Bytes of memory that a flush would make evictable. */
  get growingBytes(): number {
    return this.state.growingBytes;
  }

  /**
   * Appends one record, unless its request is in the log already: then the answer is the one that it got. At most one
   * append of a request may run at a time.
   */
  async append({ bytes, request, growth, deleteCount }: ChannelRecord): Promise<DeleteAnswer> {
    await beforeAppend(this.#room(bytes.byteLength));
    const reservation = await beforeAppend(this.#platform.residency.reserveWrite(growth, bytes.byteLength));
    try {
      // From here to the commit without waiting: what this owner replayed or appended before is all that can hold it.
      const known = request === undefined ? undefined : this.state.requests.answerTo(request);
      if (known !== undefined) return known;
      if (request !== undefined) this.state.requests.refuseIfFull(request);
      this.#lastWriteAt = this.#platform.clock.now();
      const { timestamp } = await this.#wal.commit(bytes);
      return { timestamp, deleteCount };
    } finally {
      reservation.release();
    }
  }

  /**
   * Waits until a view taken now satisfies the guarantee: proves ownership before a Strong answer, and for a given
   * timestamp stamps nothing more at or below it and waits for what is in flight there.
   */
  async satisfy(guarantee: Guarantee): Promise<void> {
    if (guarantee.level === 'Strong' || guarantee.level === 'Session') await this.#proof.ask();
    if (guarantee.timestamp === undefined) return;
    this.#supply.skip(guarantee.timestamp);
    await this.#wal.settled(guarantee.timestamp);
  }

  /** Flushes everything that was acknowledged before this call. */
  async flush(): Promise<void> {
    // A flush under way may have sealed before the newest writes: it is followed by another.
    await this.#flushing?.catch(() => undefined);
    await this.#startFlush();
  }

  /** What is due; each part is done though another fails, for each may free the room that another needs. */
  async work(): Promise<void> {
    await tryAll([() => this.#flushIfIdle(), () => this.#truncateIfDue(), () => this.#collectGarbageIfDue()]);
  }

  async #flushIfIdle(): Promise<void> {
    if (this.state.tailFrames === 0) return;
    const due = this.#lastWriteAt + FLUSH_IDLE_MS;
    if (this.#platform.clock.now() >= due) await this.#startFlush();
    else this.#platform.wake(due);
  }

  async #truncateIfDue(): Promise<void> {
    const { checkpoint, checkpointAt } = this.state.stored.manifest;
    const isDue = checkpointAt > 0 && this.#platform.clock.now() >= checkpointAt + GARBAGE_GRACE_MS;
    if (isDue) await this.#log.truncate(checkpoint);
  }

  async #collectGarbageIfDue(): Promise<void> {
    if (this.#platform.clock.now() < this.#garbageDueAt) return;
    this.#garbageDueAt = Number.POSITIVE_INFINITY;
    await this.#collectGarbage();
  }

  /** Commits the end of the channel. What the log still holds is dropped with it. */
  async end(): Promise<void> {
    await this.#editing.run(async () => {
      this.state.stored = await this.#manifests.commitFlush(this.state.stored, {
        segments: [],
        deltas: new Map(),
        checkpoint: this.state.stored.manifest.checkpoint,
        checkpointTimestamp: BigInt(this.state.stored.manifest.checkpointTimestamp),
        requests: this.state.stored.manifest.requests,
        at: this.#platform.clock.now(),
        ended: true,
      });
    });
  }

  async close(): Promise<void> {
    this.#leaveResidency();
    await this.#wal.close();
    await this.#flushing?.catch(() => undefined);
    await this.#log.close();
  }

  /** Takes an acknowledged frame, in log order, before its writers hear of it. */
  #committed(entry: CommittedBatch): void {
    const { meta } = this.state;
    this.state.apply(entry.position, entry.frameBytes, entry.records, (kind, keys, timestamp) => {
      announceChange(this.#platform, () => (keys.length > 0 ? rowsChange(kind, meta, keys, timestamp) : undefined));
    });
    const isDue = this.state.tailFrames >= FLUSH_TAIL_FRAMES || this.state.tailBytes >= FLUSH_TAIL_BYTES;
    if (isDue && this.#platform.clock.now() >= this.#flushAgainAt) {
      void this.#startFlush().catch((error: unknown) => this.#traceFailure(error));
    }
  }

  #startFlush(): Promise<void> {
    this.#flushing ??= this.#editing
      .run(() =>
        flushChannel({
          platform: this.#platform,
          coordinator: this.#coordinator,
          manifests: this.#manifests,
          channel: this.#channel,
          state: this.state,
          writing: this.#writing,
        }),
      )
      .finally(() => {
        this.#flushing = undefined;
        this.#garbageDueAt = this.#platform.clock.now() + GARBAGE_GRACE_MS;
        this.#platform.wake(this.#garbageDueAt);
      });
    return this.#flushing;
  }

  /** Waits until the unflushed tail has room: a cold open reads no more than its bound. */
  async #room(bytes: number): Promise<void> {
    const { state } = this;
    while (state.tailFrames >= TAIL_FRAMES_MAX || state.tailBytes + bytes > TAIL_BYTES_MAX) {
      if (this.#waitingWrites >= WAITING_WRITES_MAX) {
        throw new ElanusError('overloaded', `Channel ${this.#channel} is being flushed; write again in a moment.`, {
          details: { channel: this.#channel },
        });
      }
      this.#waitingWrites += 1;
      try {
        await this.#startFlush();
      } finally {
        this.#waitingWrites -= 1;
      }
    }
  }

  /** Proves that no newer owner exists: by the host's word where it can give it, else by the manifest's term. */
  async #prove(): Promise<void> {
    if (this.#platform.provePlacement !== undefined) return this.#platform.provePlacement();
    const { manifest } = await this.#manifests.read();
    const { term } = this.state.stored.manifest;
    if (manifest.term === term) return;
    throw new ElanusError('fenced', `Channel ${this.#channel} has a newer owner than term ${term}.`);
  }

  async #collectGarbage(): Promise<void> {
    await collectChannelGarbage({
      platform: this.#platform,
      manifests: this.#manifests,
      channel: this.#channel,
      state: this.state,
      writing: this.#writing,
    });
  }

  #traceFailure(error: unknown): void {
    // A full store is not filled by every write again, only to be told the same.
    if (codeOf(error) === 'quota') this.#flushAgainAt = this.#platform.clock.now() + FLUSH_IDLE_MS;
    this.#platform.trace?.({ name: 'flush-failed', details: { channel: this.#channel, code: codeOf(error) } });
  }
}
