import { decodeBatch } from '../column/codec.ts';
import type { StoredManifest } from '../manifest/manifest-store.ts';
import type { Key } from '../model/column.ts';
import type { CollectionMeta } from '../model/schema.ts';
import { primaryField } from '../model/schema.ts';
import { GrowingSegment } from '../segment/growing-segment.ts';
import { SealedSegment, type SegmentHost } from '../segment/sealed-segment.ts';
import type { Segment } from '../segment/segment.ts';
import type { WrittenSegment } from '../segment/segment-writer.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Charge } from '../vector/memory-charges.ts';
import { decodeLogBatch, type StampedRecord } from '../wal/batch.ts';
import { comparePositions, type LogEntry, nextPosition, type Position } from '../wal/log.ts';
import { decodeRecord } from '../wal/record.ts';
import { type RememberedClient, RequestMemory } from '../wal/request-memory.ts';
import { ChannelDeletes } from './channel-deletes.ts';

/** What a read looks at: taken in one step, and unchanged by everything that happens later. */
export interface ChannelView {
  /** Rows and deletes up to here are seen, later ones are not. */
  readonly timestamp: Timestamp;
  readonly segments: readonly { readonly segment: Segment; readonly rows: number }[];
}

/** A growing segment that was closed at a frame boundary and is being flushed under a fresh id. */
export interface SealedTail {
  readonly id: string;
  readonly segment: GrowingSegment;
  /** The first position that it does not hold. */
  readonly completeTo: Position;
  readonly timestamp: Timestamp;
  /** What the log below `completeTo` says of requests that may be sent again. */
  readonly requests: readonly RememberedClient[];
  /** The part of the tail that lies below `completeTo`. */
  readonly frames: number;
  readonly bytes: number;
}

/**
 * What a channel consists of in memory: the flushed segments of one manifest and, above its checkpoint, what was
 * replayed from the log or acknowledged since. It is changed synchronously, one frame at a time, in log order; so a
 * read that takes its view in one step sees a prefix of the log.
 */
export class ChannelState {
  readonly meta: CollectionMeta;
  stored: StoredManifest;
  /** The first position that has not been applied. */
  next: Position;
  /** The newest timestamp that was applied. */
  appliedTo: Timestamp;
  /** When this is known to have been the whole channel (milliseconds). */
  freshAt: number;
  /** The answers of writes that clients may send again. */
  readonly requests: RequestMemory;
  tailFrames = 0;
  tailBytes = 0;

  readonly #host: SegmentHost;
  readonly #deletes = new ChannelDeletes();
  readonly #deletesCharge: Charge;
  #growing: GrowingSegment;
  #growingSerial = 0;
  #sealed: SealedTail | undefined;
  readonly #flushed: SealedSegment[];

  constructor(host: SegmentHost, meta: CollectionMeta, stored: StoredManifest, now: number) {
    this.#host = host;
    this.#deletesCharge = host.residency.charge('deletes');
    this.meta = meta;
    this.stored = stored;
    this.next = stored.manifest.checkpoint;
    this.appliedTo = BigInt(stored.manifest.checkpointTimestamp);
    this.freshAt = now;
    this.requests = new RequestMemory(stored.manifest.requests);
    this.#growing = this.#newGrowing();
    this.#flushed = stored.manifest.segments.map(
      (info) => new SealedSegment(host, meta, info, (segment) => this.#applyDeletes(segment)),
    );
  }

  /** What a flush would make evictable. */
  get growingBytes(): number {
    if (this.tailFrames === 0) return 0;
    const segments = this.#sealed === undefined ? [this.#growing] : [this.#sealed.segment, this.#growing];
    return segments.reduce((sum, { bytes, heapBytes }) => sum + bytes + heapBytes, this.#deletes.bytes);
  }

  get rowCount(): number {
    return this.segments().reduce((sum, segment) => sum + segment.liveRows, 0);
  }

  /** All segments, the growing one last. */
  segments(): Segment[] {
    const sealed = this.#sealed === undefined ? [] : [this.#sealed.segment];
    return [...this.#flushed, ...sealed, this.#growing];
  }

  view(timestamp: Timestamp): ChannelView {
    const segments = this.segments().map((segment) => ({ segment, rows: segment.length }));
    return { timestamp, segments: segments.filter(({ rows }) => rows > 0) };
  }

  /** Takes one entry of the log, as it was read. */
  replay(entry: LogEntry): void {
    this.apply(entry.position, entry.bytes.length, decodeLogBatch(entry.bytes));
  }

  /**
   * Takes one acknowledged frame: all its records, or none of them if it was taken before. `tell` hears of each record
   * when it has been taken.
   */
  apply(
    position: Position,
    frameBytes: number,
    records: readonly StampedRecord[],
    tell?: (kind: 'write' | 'delete', keys: ArrayLike<Key>, timestamp: Timestamp) => void,
  ): void {
    if (comparePositions(position, this.next) < 0) return;
    for (const { timestamp, bytes } of records) {
      const record = decodeRecord(bytes);
      const keys = record.kind === 'write' ? this.#write(record.batch, timestamp) : record.keys;
      if (record.kind === 'delete') for (const key of record.keys) this.#delete(key, timestamp);
      if (record.request !== undefined) {
        const deleteCount = record.kind === 'delete' ? record.keys.length : 0;
        this.requests.remember(record.request, { timestamp, deleteCount });
      }
      this.appliedTo = timestamp;
      tell?.(record.kind, keys, timestamp);
    }
    this.#deletesCharge.set(this.#deletes.bytes);
    this.next = nextPosition(position);
    this.tailFrames += 1;
    this.tailBytes += frameBytes;
  }

  /**
   * Closes the growing segment at the boundary of the frames applied so far. What an earlier flush sealed and could not
   * commit is sealed again as it is, under the fresh id. The caller flushes one at a time.
   */
  seal(id: string): SealedTail {
    if (this.#sealed !== undefined) {
      this.#sealed = { ...this.#sealed, id };
      return this.#sealed;
    }
    const segment = this.#growing;
    this.#growing = this.#newGrowing();
    this.#deletes.seal();
    this.#sealed = {
      id,
      segment,
      completeTo: this.next,
      timestamp: this.appliedTo,
      requests: this.requests.remembered(this.appliedTo),
      frames: this.tailFrames,
      bytes: this.tailBytes,
    };
    return this.#sealed;
  }

  /**
   * For each segment some of whose rows ended since its last delta: all its ended rows, so that one delta replaces those
   * before it. Reads the keys of segments as needed.
   */
  async sealedDeletes(sealedAt: Timestamp): Promise<ReadonlyMap<SealedSegment, ReadonlyMap<Key, Timestamp>>> {
    const found = new Map<SealedSegment, ReadonlyMap<Key, Timestamp>>();
    for (const segment of [...this.#flushed]) {
      const candidates = [...this.#deletes.sealed].filter(([key]) => segment.mayContain(key));
      if (candidates.length === 0) continue;
      const ends = await segment.withKeys(() =>
        candidates.some(([key]) => segment.mayContain(key)) ? segment.endsUpTo(sealedAt) : undefined,
      );
      if (ends !== undefined) found.set(segment, ends);
    }
    return found;
  }

  /** The flush is committed: the sealed tail is a flushed segment if it had rows left, and its frames no longer count. */
  flushed(stored: StoredManifest, tail: SealedTail, written: WrittenSegment | undefined): void {
    this.stored = stored;
    for (const info of stored.manifest.segments) this.#flushed.find(({ id }) => id === info.id)?.update(info);
    this.#deletes.committed();
    this.#deletesCharge.set(this.#deletes.bytes);
    this.#sealed = undefined;
    this.tailFrames -= tail.frames;
    this.tailBytes -= tail.bytes;
    if (written === undefined) {
      tail.segment.free();
      return;
    }
    const from = { segment: tail.segment, rows: written.rows };
    this.#flushed.push(SealedSegment.adopt(this.#host, written.info, from, (segment) => this.#applyDeletes(segment)));
  }

  /** Lets go of what the store has too. */
  release(): void {
    this.#host.residency.evict(this.#flushed);
  }

  free(): void {
    this.#deletesCharge.set(0);
    for (const segment of this.segments()) segment.free();
  }

  #newGrowing(): GrowingSegment {
    this.#growingSerial += 1;
    const id = `growing-${this.#growingSerial}`;
    return new GrowingSegment(id, this.meta, this.#host.residency);
  }

  #write(encoded: Uint8Array, timestamp: Timestamp): ArrayLike<Key> {
    const batch = decodeBatch(encoded);
    const column = batch.scalars.get(primaryField(this.meta.schema).id);
    const keys = column?.values as BigInt64Array | readonly string[];
    for (let row = 0; row < batch.length; row++) this.#supersede(keys[row] as Key, timestamp);
    this.#growing.append(batch, timestamp);
    return keys;
  }

  #delete(key: Key, timestamp: Timestamp): void {
    this.#supersede(key, timestamp);
    this.#growing.markDeleted(key, timestamp);
  }

  /** Ends the older versions of a key that lie in closed segments: a write of a key replaces them, as a delete does. */
  #supersede(key: Key, timestamp: Timestamp): void {
    this.#sealed?.segment.markDeleted(key, timestamp);
    if (this.#flushed.length === 0 && this.#sealed === undefined) return;
    this.#deletes.add(key, timestamp);
    for (const segment of this.#flushed) if (segment.hasKeys) segment.markDeleted(key, timestamp);
  }

  /** A segment has read its keys: the deletes that only the log holds end its rows now. */
  #applyDeletes(segment: SealedSegment): void {
    for (const [key, timestamp] of this.#deletes.all()) segment.markDeleted(key, timestamp);
  }
}
