import { assert } from '../base/assert.ts';
import { BIGINT_BYTES, TABLE_ENTRY_BYTES } from '../base/footprint.ts';
import { GrowableColumn } from '../column/growable-column.ts';
import type { Column, ColumnBatch, Key } from '../model/column.ts';
import {
  type CollectionMeta,
  DYNAMIC_FIELD_ID,
  isVector,
  metricOf,
  primaryField,
  type ScalarType,
} from '../model/schema.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { FlatVectors, TopK } from '../vector/kernel.ts';
import type { Charge } from '../vector/memory-charges.ts';
import type { Residency } from '../vector/residency.ts';
import { RowDeletes } from './deletes.ts';
import { gatherFields } from './gather.ts';
import type { Segment } from './segment.ts';

/** What a flush takes over from a growing segment. */
export interface GrowingParts {
  readonly columns: ReadonlyMap<number, Column>;
  readonly vectors: ReadonlyMap<number, FlatVectors>;
  readonly insertedAt: BigUint64Array;
  readonly deletes: RowDeletes;
}

/** The rows that lie only in the log so far: in memory, searched exactly and at once. */
export class GrowingSegment implements Segment {
  readonly id: string;
  readonly meta: CollectionMeta;
  readonly #residency: Residency;
  readonly #charge: Charge;
  readonly #keyField: number;
  readonly #columns = new Map<number, GrowableColumn>();
  readonly #vectors = new Map<number, FlatVectors>();
  readonly #deletes = new RowDeletes();
  /** The newest row of each key. */
  readonly #rows = new Map<Key, number>();
  #insertedAt = new BigUint64Array(64);
  #length = 0;

  constructor(id: string, meta: CollectionMeta, residency: Residency) {
    this.id = id;
    this.meta = meta;
    this.#residency = residency;
    this.#charge = residency.charge('growing');
    this.#keyField = primaryField(meta.schema).id;
    for (const field of meta.schema.fields) {
      if (isVector(field))
        this.#vectors.set(field.id, residency.kernel.flat(field.dimension ?? 0, metricOf(meta, field.id)));
      else this.#columns.set(field.id, new GrowableColumn(field.type as ScalarType, field.elementType));
    }
    if (meta.schema.enableDynamicField) this.#columns.set(DYNAMIC_FIELD_ID, new GrowableColumn('JSON'));
  }

  get state(): 'growing' {
    return 'growing';
  }

  get length(): number {
    return this.#length;
  }

  get liveRows(): number {
    return this.#length - this.#deletes.size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const vectors of this.#vectors.values()) bytes += vectors.bytes;
    return bytes;
  }

  get heapBytes(): number {
    let bytes = this.#insertedAt.byteLength + this.#deletes.bytes;
    for (const column of this.#columns.values()) bytes += column.bytes;
    // A text is the column's own.
    return bytes + this.#rows.size * (TABLE_ENTRY_BYTES + BIGINT_BYTES);
  }

  /** What a flush writes; the vectors stay this segment's until they are taken or freed. */
  get parts(): GrowingParts {
    return {
      columns: new Map([...this.#columns].map(([id, column]) => [id, column.column()])),
      vectors: this.#vectors,
      insertedAt: this.#insertedAt.subarray(0, this.#length),
      deletes: this.#deletes,
    };
  }

  /** Takes rows in log order. Within one batch the last row of a key wins: earlier ones end as they begin. */
  append(batch: ColumnBatch, timestamp: Timestamp): void {
    // An append that found no room may have left one field longer than another; nothing may follow it.
    for (const { size } of this.#vectors.values()) assert(size === this.#length, 'no append failed before this one');
    for (const [id, vectors] of this.#vectors) {
      const column = batch.vectors.get(id);
      assert(column !== undefined, `a batch has every vector field, and field ${id}`);
      const values = column.values.subarray(0, batch.length * column.dimension);
      this.#residency.take(() => vectors.append(values));
    }
    for (const [id, growable] of this.#columns) {
      const column = batch.scalars.get(id);
      assert(column !== undefined, `a batch has every scalar field, and field ${id}`);
      growable.append(column);
    }
    const start = this.#length;
    const end = start + batch.length;
    if (end > this.#insertedAt.length) {
      const larger = new BigUint64Array(Math.max(end, 2 * this.#insertedAt.length));
      larger.set(this.#insertedAt);
      this.#insertedAt = larger;
    }
    this.#insertedAt.fill(timestamp, start, end);
    const keys = (batch.scalars.get(this.#keyField) as Column).values as ArrayLike<Key>;
    for (let row = 0; row < batch.length; row++) {
      const key = keys[row] as Key;
      const older = this.#rows.get(key);
      if (older !== undefined) this.#deletes.add(older, timestamp);
      this.#rows.set(key, start + row);
    }
    this.#length = end;
    this.#charge.set(this.heapBytes, this.bytes);
  }

  markDeleted(key: Key, timestamp: Timestamp): boolean {
    const row = this.#rows.get(key);
    if (row === undefined) return false;
    if (!this.#deletes.add(row, timestamp)) return false;
    this.#charge.set(this.heapBytes, this.bytes);
    return true;
  }

  async visit<Result>(_fieldIds: readonly number[], run: () => Result): Promise<Result> {
    return run();
  }

  prefetch(): void {
    // It is all in memory.
  }

  mayContain(key: Key): boolean {
    return this.#rows.has(key);
  }

  column(fieldId: number): Column {
    const column = this.#columns.get(fieldId);
    assert(column !== undefined, `field ${fieldId} is a scalar field of the schema`);
    return column.column();
  }

  allow(timestamp: Timestamp, rows: number, matches?: Uint8Array): Uint8Array {
    return this.#deletes.allow(timestamp, rows, matches);
  }

  search(fieldId: number, queries: Float32Array, limit: number, allow: Uint8Array, rows: number): TopK {
    const vectors = this.#vectors.get(fieldId);
    assert(vectors !== undefined, `field ${fieldId} is a vector field of the schema`);
    return this.#residency.take(() => vectors.search(queries, limit, { allow, count: rows }));
  }

  gather(rows: Uint32Array, fieldIds: readonly number[]): ColumnBatch {
    return gatherFields(rows, fieldIds, { column: (id) => this.column(id), vectors: this.#vectors });
  }

  /** The vectors, which are the caller's from now on; what is left is held only by reads under way. */
  takeVectors(): ReadonlyMap<number, FlatVectors> {
    this.#charge.set(0);
    return this.#vectors;
  }

  free(): void {
    this.#charge.set(0);
    for (const vectors of this.#vectors.values()) vectors.free();
  }
}
