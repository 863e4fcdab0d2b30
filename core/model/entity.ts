import { ElanusError } from '../base/error.ts';
import { stringifyJson } from '../base/json.ts';
import { utf8Length } from '../base/utf8-length.ts';
import type { Column, ColumnBatch, Key, VectorColumn } from './column.ts';
import { buildColumn, buildVectors, rowError } from './entity-columns.ts';
import { jsonFlaw } from './entity-json.ts';
import { DYNAMIC_ROW_BYTES_MAX, RECORD_BYTES_MAX } from './limits.ts';
import { invalid, isRecord, kindOf, missingKey } from './reject.ts';
import type { RowInput } from './row.ts';
import {
  type CollectionMeta,
  type CollectionSchema,
  DYNAMIC_FIELD_ID,
  DYNAMIC_FIELD_NAME,
  type Field,
  isVector,
  primaryField,
} from './schema.ts';

/** Whether rows with automatic keys bring none (insert) or theirs (upsert), and whether a key may come twice. */
export type WriteMode = 'insert' | 'upsert';

/** The rows of a write: one object, or a list of at least one. Their values are not looked at yet. */
export function rowsOf(data: unknown): readonly RowInput[] {
  const rows: readonly unknown[] = Array.isArray(data) ? data : data === undefined || data === null ? [] : [data];
  if (rows.length === 0) throw missingKey('CollectionDataReq', 'data');
  for (let row = 0; row < rows.length; row++) {
    if (!isRecord(rows[row])) throw rowError(`a row must be a JSON object, got ${kindOf(rows[row])}`, 'data', row);
  }
  return rows as readonly RowInput[];
}

/**
 * The rows in columns, everything checked by the dialect of Milvus's newest release: either all of it is returned or
 * one `invalid` is thrown, whose `details` name field and row.
 *
 * @param firstKey the first of as many consecutive automatic keys as there are rows; needed to insert into a
 *   collection whose primary key is automatic
 */
export function buildBatch(
  rows: readonly RowInput[],
  meta: CollectionMeta,
  mode: WriteMode,
  firstKey?: number,
): ColumnBatch {
  const { schema } = meta;
  const known = new Set(schema.fields.map((field) => field.name));
  if (!schema.enableDynamicField) refuseStrangers(rows, known);
  checkVectorBytes(rows.length, meta);
  const scalars = new Map<number, Column>();
  const vectors = new Map<number, VectorColumn>();
  for (const field of schema.fields) {
    if (isVector(field)) vectors.set(field.id, buildVectors(field, rows));
    else if (field.autoId && mode === 'insert') scalars.set(field.id, automaticKeys(field, rows, firstKey));
    else scalars.set(field.id, buildColumn(field, rows));
  }
  if (schema.enableDynamicField) scalars.set(DYNAMIC_FIELD_ID, dynamicColumn(rows, known));
  if (mode === 'upsert') refuseDuplicates(scalars, schema);
  return { length: rows.length, scalars, vectors };
}

function refuseStrangers(rows: readonly RowInput[], known: ReadonlySet<string>): void {
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row] as RowInput;
    for (const key of Object.keys(values)) {
      if (known.has(key) || values[key] === undefined) continue;
      throw rowError(`has pass more field without dynamic schema, please check it: field ${key}`, key, row);
    }
  }
}

/** Before anything is allocated: what passes here may still be refused as a record, but the memory is bounded. */
function checkVectorBytes(rowCount: number, { schema, shardsNum }: CollectionMeta): void {
  const values = schema.fields.reduce((sum, field) => sum + (field.dimension ?? 0), 0);
  const bytes = values * rowCount * Float32Array.BYTES_PER_ELEMENT;
  const bytesMax = RECORD_BYTES_MAX * shardsNum;
  if (bytes <= bytesMax) return;
  throw invalid(
    `the vectors of ${rowCount} rows take ${bytes} bytes, more than the ${bytesMax} of one request: split it`,
    {
      milvusCode: 1102,
      details: { bytes, bytesMax },
    },
  );
}

function automaticKeys(field: Field, rows: readonly RowInput[], firstKey: number | undefined): Column {
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row] as RowInput;
    const given = Object.hasOwn(values, field.name) ? values[field.name] : undefined;
    if (given === undefined || given === null) continue;
    throw rowError(`no need to pass pk field(${field.name}) when autoid==true in insert`, field.name, row);
  }
  if (firstKey === undefined || !Number.isSafeInteger(firstKey + rows.length)) {
    throw new ElanusError('internal', `No automatic keys for the field ${field.name}. This is a bug in Elanus.`);
  }
  const { length } = rows;
  if (field.type === 'VarChar') {
    return { type: 'VarChar', length, values: rows.map((_, row) => String(firstKey + row)) };
  }
  const values = new BigInt64Array(length);
  for (let row = 0; row < length; row++) values[row] = BigInt(firstKey + row);
  return { type: 'Int64', length, values };
}

/** What each row says beyond the schema, as the text of one JSON object; never null. */
function dynamicColumn(rows: readonly RowInput[], known: ReadonlySet<string>): Column {
  const values = rows.map((row, index) => dynamicText(row, known, index));
  return { type: 'JSON', length: rows.length, values };
}

function dynamicText(row: RowInput, known: ReadonlySet<string>, index: number): string {
  let text = '';
  for (const key of Object.keys(row)) {
    const value = row[key];
    if (known.has(key) || value === undefined) continue;
    if (key === DYNAMIC_FIELD_NAME) {
      throw rowError(`use the invalid field name(${key}) when enable dynamicField`, key, index);
    }
    const flaw = key.isWellFormed() ? jsonFlaw(value) : 'has a name with a lone surrogate, which UTF-8 cannot say';
    if (flaw !== undefined) throw rowError(`field ${key} ${flaw}`, key, index);
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${stringifyJson(value)}`;
  }
  const bytes = text.length > DYNAMIC_ROW_BYTES_MAX ? text.length : utf8Length(text) + 2;
  if (bytes > DYNAMIC_ROW_BYTES_MAX) {
    throw rowError(
      `the length (${bytes}) of the dynamic field exceeds max length (${DYNAMIC_ROW_BYTES_MAX}), row number: ${index}`,
      DYNAMIC_FIELD_NAME,
      index,
      1100,
    );
  }
  return `{${text}}`;
}

function refuseDuplicates(scalars: ReadonlyMap<number, Column>, schema: CollectionSchema): void {
  const field = primaryField(schema);
  const keys = (scalars.get(field.id)?.values ?? []) as ArrayLike<Key>;
  const seen = new Set<Key>();
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row] as Key;
    if (seen.has(key)) {
      throw invalid('duplicate primary keys are not allowed in the same batch', {
        details: { field: field.name, row, key: String(key) },
      });
    }
    seen.add(key);
  }
}
