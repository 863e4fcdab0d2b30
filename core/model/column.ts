import type { ElementType, ScalarType } from './schema.ts';

/** A primary key as the engine holds it. */
export type Key = bigint | string;

/** The elements of an Array value; Int64 as bigint. */
export type ArrayValue = readonly (boolean | number | bigint | string)[];

/**
 * The values of one scalar field, row by row.
 *
 * Typed arrays may be longer than `length` (a column that grows keeps room): only rows below `length` count.
 * The value of a row that is null is the type's zero and means nothing.
 */
export type Column =
  | ColumnOf<'Bool', Uint8Array>
  | ColumnOf<'Int8', Int8Array>
  | ColumnOf<'Int16', Int16Array>
  | ColumnOf<'Int32', Int32Array>
  | ColumnOf<'Int64', BigInt64Array>
  | ColumnOf<'Float', Float32Array>
  | ColumnOf<'Double', Float64Array>
  | ColumnOf<'VarChar', readonly string[]>
  /** JSON documents as texts, exactly as they were given. */
  | ColumnOf<'JSON', readonly string[]>
  | (ColumnOf<'Array', readonly ArrayValue[]> & { readonly elementType: ElementType });

interface ColumnOf<Type extends ScalarType, Values> {
  readonly type: Type;
  readonly length: number;
  readonly values: Values;
  /** One byte a row, 1 where there is a value; absent if no row is null. */
  readonly valid?: Uint8Array;
}

export function isNull(column: Column, row: number): boolean {
  return column.valid !== undefined && column.valid[row] === 0;
}

/** The vectors of one field, row-major: `rows × dimension` values. */
export interface VectorColumn {
  readonly dimension: number;
  readonly length: number;
  readonly values: Float32Array;
}

/**
 * Checked rows in columns: what one insert carries from the proxy into the log, and what a segment stores.
 * Every field of the schema is there, and the dynamic field if the schema has one.
 */
export interface ColumnBatch {
  readonly length: number;
  /** By field id. */
  readonly scalars: ReadonlyMap<number, Column>;
  /** By field id. */
  readonly vectors: ReadonlyMap<number, VectorColumn>;
}
