import { assert } from '../base/assert.ts';
import { ElanusError } from '../base/error.ts';
import { columnBytes, gatherColumn } from '../column/gather.ts';
import type { Column, ColumnBatch, Key } from '../model/column.ts';
import { type CollectionMeta, isVector, metricOf, primaryField } from '../model/schema.ts';
import { compareKeys } from '../query/reduce.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { FlatVectors, TopK } from '../vector/kernel.ts';
import type { Charge } from '../vector/memory-charges.ts';
import type { Residency, Resident } from '../vector/residency.ts';
import { RowDeletes } from './deletes.ts';
import { decodeDelta } from './delta.ts';
import { gatherFields } from './gather.ts';
import type { GrowingSegment } from './growing-segment.ts';
import { growthOfLoad, type LoadGrowth, sumOf } from './growth.ts';
import { KeyIndex } from './key-index.ts';
import type { Segment } from './segment.ts';
import { type SegmentInfo, segmentPrefix } from './segment-info.ts';
import { missingObject, SegmentReader } from './segment-reader.ts';

/** What sealed segments of one host share. */
export interface SegmentHost {
  readonly objects: ObjectStore;
  readonly residency: Residency;
}

/**
 * A flushed segment. Nothing is read before it is needed: the first `load` reads the keys and the deltas, and each
 * field at its first use. Vectors and columns stay in memory until they have to make room. Which rows have ended is
 * never forgotten; deletes that come while the keys are not in memory are told by `onKeys` when they are again.
 */
export class SealedSegment implements Segment, Resident {
  readonly meta: CollectionMeta;
  readonly #host: SegmentHost;
  /** Told once keys and deltas are there, so that deletes that lie only in the log can be applied. */
  readonly #onKeys: (segment: SealedSegment) => void;
  readonly #keyField: number;
  readonly #reader: SegmentReader;
  readonly #columns = new Map<number, Column>();
  readonly #vectors = new Map<number, FlatVectors>();
  readonly #loading = new Map<number, Promise<void>>();
  readonly #deletes = new RowDeletes();
  readonly #charges: { readonly columns: Charge; readonly deletes: Charge };
  #info: SegmentInfo;
  #keys: KeyIndex | undefined;
  #columnBytes = 0;
  #deltasApplied = false;
  #freed = false;

  constructor(host: SegmentHost, meta: CollectionMeta, info: SegmentInfo, onKeys: (segment: SealedSegment) => void) {
    this.#host = host;
    this.meta = meta;
    this.#info = info;
    this.#onKeys = onKeys;
    this.#reader = new SegmentReader(host.objects, meta, info, (bytes) => host.residency.checksum(bytes));
    this.#keyField = primaryField(meta.schema).id;
    const { residency } = host;
    this.#charges = { columns: residency.charge('columns'), deletes: residency.charge('deletes') };
  }

  /**
   * The segment that a flush has just written, with what the growing segment holds in memory instead of reading it
   * again. `rows` are the rows that were written, in their new order; the growing segment is not used afterwards, but
   * by reads that hold it.
   */
  static adopt(
    host: SegmentHost,
    info: SegmentInfo,
    from: { readonly segment: GrowingSegment; readonly rows: Uint32Array },
    onKeys: (segment: SealedSegment) => void,
  ): SealedSegment {
    const { meta, parts } = from.segment;
    const sealed = new SealedSegment(host, meta, info, onKeys);
    const isWhole = from.rows.length === from.segment.length;
    for (const [id, column] of parts.columns) sealed.#keep(id, isWhole ? column : gatherColumn(column, from.rows));
    if (isWhole) for (const [id, vectors] of from.segment.takeVectors()) sealed.#vectors.set(id, vectors);
    else from.segment.free();
    sealed.#indexKeys();
    const places = new Map(Array.from(from.rows, (row, at) => [row, at]));
    for (const [row, end] of parts.deletes.entries()) {
      const at = places.get(row);
      if (at !== undefined) sealed.#deletes.add(at, end);
    }
    sealed.#count();
    host.residency.touch(sealed);
    return sealed;
  }

  get id(): string {
    return this.#info.id;
  }

  get state(): 'flushed' {
    return 'flushed';
  }

  get length(): number {
    return this.#info.rows;
  }

  get liveRows(): number {
    if (this.#deltasApplied) return this.length - this.#deletes.size;
    return this.length - this.#info.deltas.reduce((sum, delta) => sum + delta.deletes, 0);
  }

  get bytes(): number {
    let bytes = 0;
    for (const vectors of this.#vectors.values()) bytes += vectors.bytes;
    return bytes;
  }

  get heapBytes(): number {
    return this.columnBytes + this.#deletes.bytes;
  }

  get columnBytes(): number {
    return this.#columnBytes + (this.#keys?.bytes ?? 0);
  }

  /** Whether deletes can be applied to rows now. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  /** The manifest's newest word on this segment: it may have more deltas, whose deletes are applied here already. */
  update(info: SegmentInfo): void {
    this.#info = info;
  }

  async visit<Result>(fieldIds: readonly number[], run: () => Result): Promise<Result> {
    this.#refuseIfFreed();
    if (this.#missing(fieldIds).length === 0) return run();
    const hold = await this.#host.residency.reserveLoad(this, () => this.#growthOf(fieldIds));
    try {
      await this.#load(fieldIds);
      return run();
    } finally {
      hold.release();
    }
  }

  prefetch(fieldIds: readonly number[]): void {
    if (this.#freed || this.#missing(fieldIds).length === 0) return;
    const hold = this.#host.residency.spareLoad(this, () => this.#growthOf(fieldIds));
    if (hold === undefined) return;
    // A failure is met again by the visit.
    void this.#load(fieldIds)
      .catch(() => undefined)
      .finally(() => hold.release());
  }

  /** Runs what needs the keys, for a flush: it waits for nobody's memory, since others may be waiting for the flush. */
  async withKeys<Result>(run: () => Result): Promise<Result> {
    const hold = this.#host.residency.flushLoad(this, () => this.#growthOf([]));
    try {
      await this.#load([]);
      return run();
    } finally {
      hold.release();
    }
  }

  mayContain(key: Key): boolean {
    if (this.#keys !== undefined) return this.#keys.find(key) !== undefined;
    const bound = (text: string): Key => (typeof key === 'string' ? text : BigInt(text));
    return compareKeys(key, bound(this.#info.minKey)) >= 0 && compareKeys(key, bound(this.#info.maxKey)) <= 0;
  }

  markDeleted(key: Key, timestamp: Timestamp): boolean {
    assert(this.#keys !== undefined, 'the keys of a segment are loaded before its rows end');
    const row = this.#keys.find(key);
    if (row === undefined || !this.#deletes.add(row, timestamp)) return false;
    this.#count();
    return true;
  }

  /** Every key whose row had ended at `timestamp`, and when: what the segment's one delta holds. Its keys are loaded. */
  endsUpTo(timestamp: Timestamp): Map<Key, Timestamp> {
    const keys = this.column(this.#keyField).values as ArrayLike<Key>;
    const ends = new Map<Key, Timestamp>();
    for (const [row, end] of this.#deletes.entries()) if (end <= timestamp) ends.set(keys[row] as Key, end);
    return ends;
  }

  column(fieldId: number): Column {
    const column = this.#columns.get(fieldId);
    assert(column !== undefined, `field ${fieldId} is loaded before it is read`);
    return column;
  }

  allow(timestamp: Timestamp, rows: number, matches?: Uint8Array): Uint8Array {
    if (!this.#freed) this.#host.residency.touch(this);
    return this.#deletes.allow(timestamp, rows, matches);
  }

  search(fieldId: number, queries: Float32Array, limit: number, allow: Uint8Array, rows: number): TopK {
    const vectors = this.#vectors.get(fieldId);
    assert(vectors !== undefined, `field ${fieldId} is loaded before it is searched`);
    return this.#host.residency.take(() => vectors.search(queries, limit, { allow, count: rows }), this);
  }

  gather(rows: Uint32Array, fieldIds: readonly number[]): ColumnBatch {
    return gatherFields(rows, fieldIds, { column: (id) => this.column(id), vectors: this.#vectors });
  }

  evictVectors(): void {
    for (const vectors of this.#vectors.values()) vectors.free();
    this.#vectors.clear();
  }

  evictColumns(): void {
    this.#columns.clear();
    this.#columnBytes = 0;
    this.#keys = undefined;
    this.#count();
  }

  /** Reads under way may hold columns a little longer. */
  free(): void {
    this.#freed = true;
    this.evictVectors();
    this.evictColumns();
    this.#host.residency.forget(this);
  }

  #refuseIfFreed(): void {
    if (!this.#freed) return;
    throw new ElanusError('closed', `Segment ${this.id} was let go. Read again.`, { details: { reason: 'freed' } });
  }

  #isVector(fieldId: number): boolean {
    return this.meta.schema.fields.some((field) => field.id === fieldId && isVector(field));
  }

  #missing(fieldIds: readonly number[]): number[] {
    const missing = fieldIds.filter((id) => id !== this.#keyField && !this.#columns.has(id) && !this.#vectors.has(id));
    return this.hasKeys ? missing : [this.#keyField, ...missing];
  }

  /** What a load of these fields takes, of those that are not there now. */
  #growthOf(fieldIds: readonly number[]): LoadGrowth {
    return sumOf(this.#missing(fieldIds).map((id) => growthOfLoad(this.meta, this.#info, id)));
  }

  async #load(fieldIds: readonly number[]): Promise<void> {
    this.#refuseIfFreed();
    await Promise.all(this.#missing(fieldIds).map((id) => this.#once(id)));
    this.#refuseIfFreed();
    this.#host.residency.touch(this);
  }

  /** Reads a field once for all who ask while it is read. */
  #once(fieldId: number): Promise<void> {
    let loading = this.#loading.get(fieldId);
    if (loading === undefined) {
      loading = this.#read(fieldId).finally(() => this.#loading.delete(fieldId));
      this.#loading.set(fieldId, loading);
    }
    return loading;
  }

  #read(fieldId: number): Promise<void> {
    if (fieldId === this.#keyField) return this.#loadKeys();
    return this.#isVector(fieldId) ? this.#loadVectors(fieldId) : this.#loadColumn(fieldId);
  }

  /** A segment that was let go counts no more, though a load under way may still bring something. */
  #count(): void {
    this.#charges.columns.set(this.#freed ? 0 : this.columnBytes);
    this.#charges.deletes.set(this.#freed ? 0 : this.#deletes.bytes);
  }

  async #loadKeys(): Promise<void> {
    const { deltas } = this.#info;
    const prefix = segmentPrefix(this.meta.id, this.#info);
    const [keys, ...files] = await Promise.all([
      this.#reader.column(this.#keyField),
      ...deltas.map(async ({ name }) => {
        const object = await this.#host.objects.read(prefix + name);
        if (object === undefined) throw missingObject(prefix + name);
        return decodeDelta(object.bytes, prefix + name);
      }),
    ]);
    this.#keep(this.#keyField, keys);
    this.#indexKeys();
    for (const file of files) for (const [key, timestamp] of file) this.markDeleted(key, timestamp);
    this.#onKeys(this);
  }

  #indexKeys(): void {
    this.#keys = new KeyIndex(this.column(this.#keyField));
    this.#deltasApplied = true;
    this.#count();
  }

  #keep(fieldId: number, column: Column): void {
    this.#columns.set(fieldId, column);
    this.#columnBytes += columnBytes(column);
    this.#count();
  }

  async #loadColumn(fieldId: number): Promise<void> {
    this.#keep(fieldId, await this.#reader.column(fieldId));
  }

  async #loadVectors(fieldId: number): Promise<void> {
    const field = this.meta.schema.fields.find((candidate) => candidate.id === fieldId);
    const dimension = field?.dimension ?? 0;
    const flat = this.#host.residency.kernel.flat(dimension, metricOf(this.meta, fieldId));
    try {
      for await (const rows of this.#reader.vectors(fieldId, dimension)) {
        this.#host.residency.take(() => flat.append(rows), this);
      }
      this.#refuseIfFreed();
      this.#vectors.set(fieldId, flat);
    } catch (error) {
      flat.free();
      throw error;
    }
  }
}
