import { valueFootprint } from '../base/footprint.ts';
import type { Column, ColumnBatch, VectorColumn } from '../model/column.ts';

/** The rows of a column that are named, in that order; exactly as long as the list. */
export function gatherColumn(column: Column, rows: Uint32Array): Column {
  const valid = column.valid === undefined ? undefined : Uint8Array.from(rows, (row) => column.valid?.[row] ?? 0);
  const values = gatherValues(column.values, rows);
  return { ...column, length: rows.length, values, ...(valid === undefined ? {} : { valid }) } as Column;
}

/** The rows of a batch that are named, in that order. */
export function gatherBatch(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
  const scalars = new Map([...batch.scalars].map(([id, column]) => [id, gatherColumn(column, rows)]));
  const vectors = new Map([...batch.vectors].map(([id, column]) => [id, gatherVectors(column, rows)]));
  return { length: rows.length, scalars, vectors };
}

/** Several batches with the same fields, one after another. */
export function concatBatches(batches: readonly ColumnBatch[]): ColumnBatch {
  const [first] = batches;
  if (first === undefined) return { length: 0, scalars: new Map(), vectors: new Map() };
  const length = batches.reduce((sum, batch) => sum + batch.length, 0);
  const scalars = new Map(
    [...first.scalars.keys()].map((id) => [id, concatColumns(batches.map((batch) => batch.scalars.get(id) as Column))]),
  );
  const vectors = new Map(
    [...first.vectors].map(([id, { dimension }]) => {
      const values = new Float32Array(length * dimension);
      let at = 0;
      for (const batch of batches) {
        values.set((batch.vectors.get(id) as VectorColumn).values.subarray(0, batch.length * dimension), at);
        at += batch.length * dimension;
      }
      return [id, { dimension, length, values }];
    }),
  );
  return { length, scalars, vectors };
}

/** About how many bytes a batch takes when it is sent: its values, without what the sending adds. */
export function batchBytes(batch: ColumnBatch): number {
  let bytes = 0;
  for (const { values, length, valid } of batch.scalars.values()) {
    if (Array.isArray(values)) for (let row = 0; row < length; row++) bytes += valueBytes(values[row]);
    else bytes += (values as TypedValues).byteLength;
    bytes += valid?.byteLength ?? 0;
  }
  for (const { values } of batch.vectors.values()) bytes += values.byteLength;
  return bytes;
}

/** How many bytes of memory a column takes: typed arrays exactly, texts and arrays about. */
export function columnBytes({ values, valid }: Column): number {
  const bytes = valid?.byteLength ?? 0;
  if (!Array.isArray(values)) return bytes + (values as TypedValues).byteLength;
  return values.reduce((sum: number, value) => sum + valueFootprint(value), bytes);
}

/** A text by its units, so that an answer of ASCII is counted exactly and any other within a factor of three. */
function valueBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + valueBytes(item), 8) : 8;
}

function gatherVectors({ dimension, values }: VectorColumn, rows: Uint32Array): VectorColumn {
  const gathered = new Float32Array(rows.length * dimension);
  for (const [at, row] of rows.entries()) {
    gathered.set(values.subarray(row * dimension, (row + 1) * dimension), at * dimension);
  }
  return { dimension, length: rows.length, values: gathered };
}

type Values = Column['values'];
type TypedValues = Exclude<Values, readonly unknown[]>;

function gatherValues(values: Values, rows: Uint32Array): Values {
  if (Array.isArray(values)) return Array.from(rows, (row) => values[row]) as Values;
  const typed = values as TypedValues;
  const gathered = emptyLike(typed, rows.length);
  for (let at = 0; at < rows.length; at++) gathered[at] = typed[rows[at] as number] as never;
  return gathered;
}

/** Several pieces of one column, one after another. */
export function concatColumns(columns: readonly Column[]): Column {
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const first = columns[0] as Column;
  const hasNulls = columns.some((column) => column.valid !== undefined);
  const valid = hasNulls ? new Uint8Array(length) : undefined;
  const values = Array.isArray(first.values) ? [] : emptyLike(first.values as TypedValues, length);
  let at = 0;
  for (const column of columns) {
    if (valid !== undefined) {
      if (column.valid === undefined) valid.fill(1, at, at + column.length);
      else valid.set(column.valid.subarray(0, column.length), at);
    }
    if (Array.isArray(values)) for (let row = 0; row < column.length; row++) values.push(column.values[row] as never);
    else values.set((column.values as TypedValues).subarray(0, column.length) as never, at);
    at += column.length;
  }
  return { ...first, length, values, ...(valid === undefined ? {} : { valid }) } as Column;
}

/** A typed array of the same kind, with room for `length` values. */
export function emptyLike<Typed extends TypedValues>(values: Typed, length: number): Typed {
  const Kind = values.constructor as new (length: number) => Typed;
  return new Kind(length);
}
