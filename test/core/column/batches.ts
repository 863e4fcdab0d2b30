import fc from 'fast-check';
import {
  type ArrayValue,
  type Column,
  type ColumnBatch,
  isNull,
  type VectorColumn,
} from '../../../core/model/column.ts';
import type { CollectionMeta } from '../../../core/model/schema.ts';
import { DYNAMIC_FIELD_ID, type ElementType, type Field, type ScalarType } from '../../../core/model/schema.ts';

/** One value as a row has it; null where there is none. */
export type Value = boolean | number | bigint | string | ArrayValue | null;
export type Row = Readonly<Record<number, Value | Float32Array>>;

const ELEMENT_TYPES: readonly ElementType[] = ['Bool', 'Int8', 'Int16', 'Int32', 'Int64', 'Float', 'Double', 'VarChar'];
const SCALARS: readonly ScalarType[] = [...ELEMENT_TYPES, 'JSON', 'Array'];

const ELEMENTS: Readonly<Record<ElementType, fc.Arbitrary<boolean | number | bigint | string>>> = {
  Bool: fc.boolean(),
  Int8: fc.integer({ min: -128, max: 127 }),
  Int16: fc.integer({ min: -32_768, max: 32_767 }),
  Int32: fc.integer(),
  Int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  Float: fc.float(),
  Double: fc.double(),
  // Astral characters, combining marks, NUL: whatever is well-formed.
  VarChar: fc.string({ unit: 'binary', maxLength: 6 }),
};

/** What a column is made of. */
export interface Shape {
  readonly id: number;
  readonly type: ScalarType;
  readonly elementType?: ElementType;
  readonly nullable: boolean;
}

const shape = fc
  .record({ type: fc.constantFrom(...SCALARS), element: fc.constantFrom(...ELEMENT_TYPES), nullable: fc.boolean() })
  .map(({ type, element, nullable }) => ({ type, nullable, ...(type === 'Array' ? { elementType: element } : {}) }));

function anyValue({ type, elementType }: Shape): fc.Arbitrary<Value> {
  if (type === 'JSON') return fc.json();
  if (type !== 'Array') return ELEMENTS[type];
  return fc.array(ELEMENTS[elementType as ElementType], { maxLength: 4 }) as fc.Arbitrary<ArrayValue>;
}

/** A column of these values, in arrays of exactly their number. */
export function columnOf({ type, elementType }: Shape, values: readonly Value[]): Column {
  const zero = type === 'Int64' ? 0n : type === 'VarChar' || type === 'JSON' ? '' : type === 'Array' ? [] : 0;
  const dense = values.map((value) => value ?? zero);
  const length = values.length;
  const valid = values.includes(null) ? { valid: Uint8Array.from(values, (value) => (value === null ? 0 : 1)) } : {};
  const numbers = (): number[] => dense.map(Number);
  switch (type) {
    case 'Bool':
      return { type, length, values: Uint8Array.from(numbers()), ...valid };
    case 'Int8':
      return { type, length, values: Int8Array.from(numbers()), ...valid };
    case 'Int16':
      return { type, length, values: Int16Array.from(numbers()), ...valid };
    case 'Int32':
      return { type, length, values: Int32Array.from(numbers()), ...valid };
    case 'Int64':
      return { type, length, values: BigInt64Array.from(dense as bigint[]), ...valid };
    case 'Float':
      return { type, length, values: Float32Array.from(numbers()), ...valid };
    case 'Double':
      return { type, length, values: Float64Array.from(numbers()), ...valid };
    case 'Array':
      return { type, length, elementType: elementType as ElementType, values: dense as ArrayValue[], ...valid };
    default:
      return { type, length, values: dense as string[], ...valid };
  }
}

/** The value of a row, as it was given. */
export function valueAt(column: Column, row: number): Value {
  if (isNull(column, row)) return null;
  const value = column.values[row] as Value;
  return column.type === 'Bool' ? value === 1 : value;
}

/** The rows of a batch, free of how they are stored. */
export function rowsOf(batch: ColumnBatch): Row[] {
  return Array.from({ length: batch.length }, (_, row) => ({
    ...Object.fromEntries([...batch.scalars].map(([id, column]) => [id, valueAt(column, row)])),
    ...Object.fromEntries(
      [...batch.vectors].map(([id, { dimension, values }]) => [
        id,
        values.slice(row * dimension, (row + 1) * dimension),
      ]),
    ),
  }));
}

function vectorColumn(dimension: number, rows: readonly Float32Array[]): VectorColumn {
  const values = new Float32Array(rows.length * dimension);
  for (const [row, vector] of rows.entries()) values.set(vector, row * dimension);
  return { dimension, length: rows.length, values };
}

/** A batch of these rows. */
export function batchOf(
  shapes: readonly Shape[],
  dimensions: ReadonlyMap<number, number>,
  rows: readonly Row[],
): ColumnBatch {
  return {
    length: rows.length,
    scalars: new Map(
      shapes.map((each) => [
        each.id,
        columnOf(
          each,
          rows.map((row) => row[each.id] as Value),
        ),
      ]),
    ),
    vectors: new Map(
      [...dimensions].map(([id, dimension]) => [
        id,
        vectorColumn(
          dimension,
          rows.map((row) => row[id] as Float32Array),
        ),
      ]),
    ),
  };
}

export interface Table {
  readonly shapes: readonly Shape[];
  readonly dimensions: ReadonlyMap<number, number>;
}

/** A key field of id 100, other scalar fields from 101 on, and up to two vector fields from 200 on. */
export const table: fc.Arbitrary<Table> = fc
  .record({
    key: fc.constantFrom<ScalarType>('Int64', 'VarChar'),
    others: fc.array(shape, { maxLength: 5 }),
    dimensions: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 2 }),
  })
  .map(({ key, others, dimensions }) => ({
    shapes: [{ id: 100, type: key, nullable: false }, ...others.map((each, at) => ({ id: 101 + at, ...each }))],
    dimensions: new Map(dimensions.map((dimension, at) => [200 + at, dimension])),
  }));

/** Without lengths near 2^-126, below which a vector counts as zero: there the kernel and a reference in doubles may differ. */
const component = fc
  .float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  .map((value) => (Math.abs(value) < 1e-30 ? 0 : value));

/** A row of the table; keys are drawn from a small set, so that they come again. */
export function rowOf({ shapes, dimensions }: Table): fc.Arbitrary<Row> {
  const entries: [number, fc.Arbitrary<Value | Float32Array>][] = shapes.map((each) => [
    each.id,
    each.id === 100
      ? fc.integer({ min: -6, max: 6 }).map((key) => (each.type === 'Int64' ? BigInt(key) * 2n ** 59n : `clé-${key}`))
      : each.nullable
        ? fc.option(anyValue(each))
        : anyValue(each),
  ]);
  for (const [id, dimension] of dimensions) {
    const vector = fc.array(component, { minLength: dimension, maxLength: dimension });
    entries.push([id, vector.map((values) => Float32Array.from(values))]);
  }
  return fc.record(Object.fromEntries(entries)) as fc.Arbitrary<Row>;
}

/** A table and batches of its rows. */
export function batches(constraints: fc.ArrayConstraints): fc.Arbitrary<{ table: Table; batches: ColumnBatch[] }> {
  return table.chain((each) =>
    fc
      .array(fc.array(rowOf(each), { maxLength: 8 }), constraints)
      .map((all) => ({ table: each, batches: all.map((rows) => batchOf(each.shapes, each.dimensions, rows)) })),
  );
}

/** A collection with the fields of a table. */
export function metaOf({ shapes, dimensions }: Table, metricType: 'L2' | 'IP' | 'COSINE' = 'L2'): CollectionMeta {
  const common = { description: '', autoId: false };
  const scalars = shapes
    .filter(({ id }) => id !== DYNAMIC_FIELD_ID)
    .map(
      ({ id, type, elementType, nullable }): Field => ({
        ...common,
        id,
        name: `f${id}`,
        type,
        isPrimary: id === 100,
        nullable,
        ...(elementType === undefined ? {} : { elementType, maxCapacity: 100 }),
      }),
    );
  const vectors = [...dimensions].map(
    ([id, dimension]): Field => ({
      ...common,
      id,
      name: `f${id}`,
      type: 'FloatVector',
      isPrimary: false,
      nullable: false,
      dimension,
    }),
  );
  return {
    id: 7,
    version: 1,
    databaseName: 'default',
    collectionName: 'c',
    description: '',
    schema: { fields: [...scalars, ...vectors], enableDynamicField: shapes.some(({ id }) => id === DYNAMIC_FIELD_ID) },
    indexes: vectors.map(({ name }) => ({
      indexName: name,
      fieldName: name,
      indexType: 'FLAT',
      metricType,
      params: {},
    })),
    consistencyLevel: 'Bounded',
    shardsNum: 1,
    properties: {},
  };
}
