import { stringifyJson } from '../../../core/base/json.ts';
import type { Column } from '../../../core/model/column.ts';
import { type CollectionSchema, DYNAMIC_FIELD_ID, type Field } from '../../../core/model/schema.ts';

function field(id: number, name: string, type: Field['type'], more: Partial<Field> = {}): Field {
  return { id, name, type, description: '', isPrimary: false, autoId: false, nullable: false, ...more };
}

/** The schema of the filter language's own test list, less what is not stored yet. */
export const SCHEMA: CollectionSchema = {
  enableDynamicField: true,
  fields: [
    field(100, 'pk', 'Int64', { isPrimary: true }),
    field(101, 'b', 'Bool'),
    field(102, 'i8', 'Int8'),
    field(103, 'i32', 'Int32'),
    field(104, 'i', 'Int64'),
    field(105, 'f', 'Float'),
    field(106, 'd', 'Double'),
    field(107, 's', 'VarChar', { maxLength: 100 }),
    field(108, 'js', 'JSON'),
    field(109, 'ai', 'Array', { elementType: 'Int64', maxCapacity: 8 }),
    field(110, 'as', 'Array', { elementType: 'VarChar', maxCapacity: 8, maxLength: 20 }),
    field(111, 'n', 'Int64', { nullable: true }),
    field(112, 'v', 'FloatVector', { dimension: 2 }),
  ],
};

export interface TestRow {
  readonly pk?: bigint;
  readonly b?: boolean;
  readonly i8?: number;
  readonly i32?: number;
  readonly i?: bigint;
  readonly f?: number;
  readonly d?: number;
  readonly s?: string;
  readonly js?: unknown;
  readonly ai?: readonly bigint[];
  readonly as?: readonly string[];
  readonly n?: bigint | null;
  readonly dynamic?: unknown;
}

/** Rows as the columns that a filter is evaluated on; what a row leaves out is the type's zero. */
export function columnsOf(rows: readonly TestRow[]): { column(fieldId: number): Column } {
  const length = rows.length;
  const columns = new Map<number, Column>([
    [100, { type: 'Int64', length, values: BigInt64Array.from(rows, (row) => row.pk ?? 0n) }],
    [101, { type: 'Bool', length, values: Uint8Array.from(rows, (row) => Number(row.b ?? false)) }],
    [102, { type: 'Int8', length, values: Int8Array.from(rows, (row) => row.i8 ?? 0) }],
    [103, { type: 'Int32', length, values: Int32Array.from(rows, (row) => row.i32 ?? 0) }],
    [104, { type: 'Int64', length, values: BigInt64Array.from(rows, (row) => row.i ?? 0n) }],
    [105, { type: 'Float', length, values: Float32Array.from(rows, (row) => row.f ?? 0) }],
    [106, { type: 'Double', length, values: Float64Array.from(rows, (row) => row.d ?? 0) }],
    [107, { type: 'VarChar', length, values: rows.map((row) => row.s ?? '') }],
    [108, { type: 'JSON', length, values: rows.map((row) => json(row.js)) }],
    [109, { type: 'Array', elementType: 'Int64', length, values: rows.map((row) => row.ai ?? []) }],
    [110, { type: 'Array', elementType: 'VarChar', length, values: rows.map((row) => row.as ?? []) }],
    [
      111,
      {
        type: 'Int64',
        length,
        values: BigInt64Array.from(rows, (row) => row.n ?? 0n),
        valid: Uint8Array.from(rows, (row) => Number(row.n !== null)),
      },
    ],
    [DYNAMIC_FIELD_ID, { type: 'JSON', length, values: rows.map((row) => json(row.dynamic)) }],
  ]);
  return { column: (id) => columns.get(id) as Column };
}

function json(value: unknown): string {
  return stringifyJson(value ?? {});
}
