import { codeOf, ElanusError } from '../base/error.ts';
import { Mutex } from '../base/mutex.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';
import type { Change } from '../model/change.ts';
import type { ChannelInspection } from '../model/inspection.ts';
import { BOUNDED_STALENESS_MS, FLUSH_IDLE_MS, READ_RETRIES_MAX } from '../model/limits.ts';
import type { CollectionMeta } from '../model/schema.ts';
import type { Platform } from '../platform.ts';
import type { SegmentHost } from '../segment/sealed-segment.ts';
import { comparePositions } from '../wal/log.ts';
import { beforeAppend } from '../wal/log-errors.ts';
import { announceChange } from './change-feed.ts';
import { ChannelOwner, type ChannelRecord } from './channel-owner.ts';
import { ChannelState, type ChannelView } from './channel-state.ts';
import { inspectState } from './inspect-channel.ts';
import type { CoordinatorPeer, DeleteAnswer, Guarantee, RequestId } from './protocol.ts';

/**
 * One channel as this host sees it: at first a reader without a claim, from the first write on its owner.
 *
 * - A reader reads the manifest, then the log from the checkpoint to the tail, then the log's root once more, and
 *   begins again if the log was truncated meanwhile (CHANNEL.md R1). It writes nothing.
 * - The owner is fenced by whoever claims the channel after it. It notices at its next append, or before its next
 *   Strong answer, and becomes a reader again.
 */
export class Channel {
  readonly name: string;
  readonly meta: CollectionMeta;
  readonly #platform: Platform;
  readonly #coordinator: CoordinatorPeer;
  readonly #manifests: ManifestStore;
  readonly #host: SegmentHost;
  /** One loading, refreshing or claiming at a time. */
  readonly #opening = new Mutex();
  #state: ChannelState | undefined;
  #owner: ChannelOwner | undefined;
  /** Writes with a request id that are under way, by the id. */
  readonly #running = new Map<string, Promise<DeleteAnswer>>();
  #closed = false;

  constructor(
    platform: Platform,
    coordinator: CoordinatorPeer,
    place: {
      readonly name: string;
      readonly meta: CollectionMeta;
      readonly manifests: ManifestStore;
      readonly host: SegmentHost;
    },
  ) {
    this.#platform = platform;
    this.#coordinator = coordinator;
    this.name = place.name;
    this.meta = place.meta;
    this.#manifests = place.manifests;
    this.#host = place.host;
  }

  /**
   * Runs a write at most once for its request: one that was answered before gets the same answer, one that is under way
   * is joined. Without a request it is run.
   */
  async once(request: RequestId | undefined, write: () => Promise<DeleteAnswer>): Promise<DeleteAnswer> {
    if (request === undefined) return write();
    const id = `${request.client}/${request.sequence}`;
    let running = this.#running.get(id);
    if (running === undefined) {
      running = this.#answered(request, write).finally(() => this.#running.delete(id));
      this.#running.set(id, running);
    }
    return running;
  }

  /** Appends one record; durable, and seen by every later read, when it resolves. */
  async append(record: ChannelRecord): Promise<DeleteAnswer> {
    const owner = await beforeAppend(this.#owned());
    try {
      const answer = await owner.append(record);
      this.#platform.wake(this.#platform.clock.now() + FLUSH_IDLE_MS);
      return answer;
    } catch (error) {
      throw this.#given(owner, error);
    }
  }

  /** A view that satisfies the guarantee, taken in one step when all waiting is over (CHANNEL.md R4). */
  async view(guarantee: Guarantee): Promise<ChannelView> {
    for (let attempt = 0; attempt < READ_RETRIES_MAX; attempt++) {
      this.#refuseIfClosed();
      const owner = this.#owner;
      if (owner === undefined) return this.#readerView(guarantee);
      try {
        await owner.satisfy(guarantee);
      } catch (error) {
        this.#given(owner, error);
        if (codeOf(error) !== 'fenced') throw error;
        continue;
      }
      if (this.#owner !== owner) continue;
      return owner.state.view(newest(owner.state.appliedTo, guarantee.timestamp));
    }
    throw new ElanusError('unavailable', `Channel ${this.name} changes hands; try again.`);
  }

  /** Moves what the log holds into segments. A channel that was never written to here is left to its owner. */
  async flush(): Promise<void> {
    const state = this.#state ?? (await this.#opening.run(() => this.#load()));
    if (this.#owner === undefined && state.tailFrames === 0) return;
    const owner = await this.#owned();
    try {
      await owner.flush();
    } catch (error) {
      throw this.#given(owner, error);
    }
  }

  async statistics(): Promise<ChannelInspection> {
    await this.view({ level: 'Bounded' });
    const state = this.#state ?? (await this.#opening.run(() => this.#load()));
    return inspectState(this.name, state, this.#owner === undefined ? 'reader' : 'owner');
  }

  /** Gives back the memory: the owner flushes first what lies in the log, a reader forgets what it knows. */
  async release(): Promise<void> {
    if (this.#owner === undefined) return this.reload();
    await this.flush();
    this.#state?.release();
  }

  /** Ends the channel for ever: every later request, here and elsewhere, finds it `stale`. */
  async drop(): Promise<void> {
    if ((await this.#manifests.read()).manifest.ended) return;
    const owner = await this.#owned();
    await owner.end();
    await this.close();
  }

  /** What is due: a flush some seconds after the last write, truncation and garbage a grace period after a flush. */
  async work(): Promise<void> {
    // Frames that an earlier incarnation left in the log are flushed by whoever is woken.
    if (this.#owner === undefined) {
      const state = this.#state ?? (await this.#opening.run(() => this.#load()));
      if (state.tailFrames === 0) return;
    }
    const owner = await this.#owned();
    try {
      await owner.work();
    } catch (error) {
      const given = this.#given(owner, error);
      // Somebody else owns the channel, and does what is due.
      if (codeOf(error) !== 'fenced') throw given;
    }
  }

  /** Waits for appends under way and frees the memory. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const owner = this.#owner;
    this.#owner = undefined;
    await owner?.close();
    await this.#opening.run(async () => {
      this.#state?.free();
      this.#state = undefined;
    });
  }

  /** Forgets what a reader knew: it named an object that is gone. */
  async reload(): Promise<void> {
    await this.#opening.run(async () => {
      if (this.#owner !== undefined) return;
      this.#state?.free();
      this.#state = undefined;
    });
  }

  /** Only an owner knows that nobody else is still writing the request: everyone before it is fenced. */
  async #answered(request: RequestId, write: () => Promise<DeleteAnswer>): Promise<DeleteAnswer> {
    const { state } = await this.#owned();
    return state.requests.answerTo(request) ?? write();
  }

  #newState(stored: StoredManifest): ChannelState {
    return new ChannelState(this.#host, this.meta, stored, this.#platform.clock.now());
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new ElanusError('closed', `Channel ${this.name} is closed; open the database again.`);
  }

  async #readerView(guarantee: Guarantee): Promise<ChannelView> {
    const state = await this.#opening.run(async () => {
      if (this.#owner !== undefined) return this.#owner.state;
      const known = this.#state;
      if (known === undefined) return this.#load();
      const age = this.#platform.clock.now() - known.freshAt;
      const mayBeOld = guarantee.level === 'Eventually' || guarantee.level === 'Bounded';
      if (mayBeOld && guarantee.timestamp === undefined && age >= 0 && age <= BOUNDED_STALENESS_MS) return known;
      return this.#refresh(known);
    });
    return state.view(newest(state.appliedTo, guarantee.timestamp));
  }

  /** Reads the whole channel. Runs under the opening mutex. */
  async #load(): Promise<ChannelState> {
    if (this.#state !== undefined) return this.#state;
    const reader = this.#platform.logs.reader(this.name);
    for (let attempt = 0; attempt < READ_RETRIES_MAX; attempt++) {
      this.#refuseIfClosed();
      const stored = await this.#manifests.read();
      if (stored.manifest.ended) throw ended(this.name);
      const state = this.#newState(stored);
      try {
        for await (const entry of reader.read(state.next)) state.replay(entry);
        if (comparePositions(await reader.truncatedTo(), stored.manifest.checkpoint) <= 0) {
          this.#state = state;
          return state;
        }
      } catch (error) {
        if (!isTruncated(error)) {
          state.free();
          throw error;
        }
      }
      state.free();
    }
    throw new ElanusError('unavailable', `Channel ${this.name} is flushed faster than it can be read; try again.`);
  }

  /** Brings a reader's state up to the tail. Runs under the opening mutex. */
  async #refresh(state: ChannelState): Promise<ChannelState> {
    const reader = this.#platform.logs.reader(this.name);
    const now = this.#platform.clock.now();
    const from = state.next;
    try {
      const { version } = await this.#manifests.read();
      if (version === state.stored.version) {
        for await (const entry of reader.read(from)) state.replay(entry);
        if (comparePositions(await reader.truncatedTo(), from) <= 0) {
          state.freshAt = now;
          return state;
        }
      }
    } catch (error) {
      if (!isTruncated(error)) throw error;
    }
    // Reads under way hold the old segments; their memory goes when the last of them is done.
    this.#state = undefined;
    state.free();
    return this.#load();
  }

  #owned(): Promise<ChannelOwner> {
    this.#refuseIfClosed();
    if (this.#owner !== undefined) return Promise.resolve(this.#owner);
    return this.#opening.run(async () => {
      this.#refuseIfClosed();
      this.#owner ??= await this.#claim();
      return this.#owner;
    });
  }

  /** Claims the channel: manifest, then log, then replay, then timestamps above all that was replayed. */
  async #claim(): Promise<ChannelOwner> {
    if ((await this.#manifests.read()).manifest.ended) throw ended(this.name);
    const { stored, from } = await this.#manifests.claim();
    if (stored.manifest.ended) throw ended(this.name);
    const log = await this.#platform.logs.open(this.name, stored.manifest.term);
    // What was read before the claim counts only if the claimed manifest is the one that it was read with.
    const known = this.#state?.stored.version === from ? this.#state : undefined;
    const state = known ?? this.#newState(stored);
    if (known === undefined) this.#state?.free();
    this.#state = state;
    state.stored = stored;
    try {
      for await (const entry of log.read(state.next)) state.replay(entry);
      const owner = new ChannelOwner(this.#platform, this.#coordinator, {
        channel: this.name,
        log,
        state,
        manifests: this.#manifests,
      });
      await owner.prepare();
      // An earlier owner may have died between committing these and announcing them.
      if (state.tailFrames > 0) announceChange(this.#platform, () => this.#unknownChange(state.appliedTo));
      return owner;
    } catch (error) {
      this.#state = undefined;
      state.free();
      await log.close();
      throw error;
    }
  }

  #unknownChange(timestamp: bigint): Change {
    const { databaseName, collectionName } = this.meta;
    return { kind: 'unknown', databaseName, collectionName, count: 0, timestamp };
  }

  /** Lets go of an owner that can no longer append, and says what its error means to the caller. */
  #given(owner: ChannelOwner, error: unknown): unknown {
    if (!owner.isBroken && codeOf(error) !== 'fenced') return error;
    if (this.#owner === owner) {
      this.#owner = undefined;
      const state = this.#state;
      this.#state = undefined;
      void owner.close().finally(() => state?.free());
    }
    const code = codeOf(error);
    if (code !== 'fenced' && !isLogClosed(error)) return error;
    const why = code === 'fenced' ? 'changed hands' : 'opens its log again';
    return new ElanusError('unavailable', `Channel ${this.name} ${why}; nothing was written; try again.`, {
      cause: error,
      details: { channel: this.name, outcome: 'not-written' },
    });
  }
}

function newest(applied: bigint, guarantee: bigint | undefined): bigint {
  return guarantee !== undefined && guarantee > applied ? guarantee : applied;
}

/** The log was closed because an append before this one failed; the store itself is open, and the next write opens the log. */
function isLogClosed(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return codeOf(error) === 'closed' && cause !== undefined && codeOf(cause) !== 'closed';
}

function isTruncated(error: unknown): boolean {
  return codeOf(error) === 'stale';
}

function ended(channel: string): ElanusError {
  return new ElanusError('stale', `Channel ${channel} belongs to a collection that was dropped.`, {
    details: { channel, reason: 'dropped' },
  });
}
