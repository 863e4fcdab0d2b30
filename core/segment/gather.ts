import { gatherColumn } from '../column/gather.ts';
import type { Column, ColumnBatch, VectorColumn } from '../model/column.ts';
import type { FlatVectors } from '../vector/kernel.ts';

/** Rows of a segment as a batch: scalar fields from their columns, vectors out of the kernel's memory. */
export function gatherFields(
  rows: Uint32Array,
  fieldIds: readonly number[],
  from: { readonly column: (fieldId: number) => Column; readonly vectors: ReadonlyMap<number, FlatVectors> },
): ColumnBatch {
  const scalars = new Map<number, Column>();
  const vectors = new Map<number, VectorColumn>();
  for (const id of fieldIds) {
    const flat = from.vectors.get(id);
    if (flat === undefined) scalars.set(id, gatherColumn(from.column(id), rows));
    else vectors.set(id, { dimension: flat.dimension, length: rows.length, values: flat.readMany(rows) });
  }
  return { length: rows.length, scalars, vectors };
}
