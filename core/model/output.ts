import { shortestFloat32 } from '../base/float32.ts';
import { parseJson } from '../base/json.ts';
import { type Column, type ColumnBatch, isNull } from './column.ts';
import { badRequest, invalid, isRecord, show } from './reject.ts';
import type { Row } from './row.ts';
import { type CollectionSchema, DYNAMIC_FIELD_ID, DYNAMIC_FIELD_NAME, type Field, primaryField } from './schema.ts';

/** Which fields an answer carries, and which dynamic keys are taken out of the dynamic field. */
export interface OutputPlan {
  /** The primary key first, then in the order of the schema; the dynamic field, if it is needed, last. */
  readonly fieldIds: readonly number[];
  readonly dynamicKeys: 'all' | readonly string[];
}

const DYNAMIC_KEY = /^\$meta\[(?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')\]$/s;

/**
 * What `outputFields` names: fields, `*` for everything, `$meta` for every dynamic key, dynamic keys by name or as
 * `$meta["key"]`. The primary key is always there. A name that is nothing here rejects with `invalid` (1100).
 *
 * @param defaults what no `outputFields` at all means: everything (query, get), or the primary key alone (search)
 */
export function resolveOutputFields(names: unknown, schema: CollectionSchema, defaults: 'all' | 'none'): OutputPlan {
  const asked = names ?? (defaults === 'all' ? ['*'] : []);
  if (!Array.isArray(asked)) throw badRequest(`outputFields must be a list of names, got ${show(asked)}`);
  const wanted = new Set<string>();
  const keys = new Set<string>();
  let allDynamic = false;
  for (const name of asked as readonly unknown[]) {
    if (typeof name !== 'string') throw badRequest(`outputFields must be a list of names, got ${show(name)} in it`);
    if (name === '*') {
      for (const field of schema.fields) wanted.add(field.name);
      allDynamic = schema.enableDynamicField;
    } else if (schema.fields.some((field) => field.name === name)) {
      wanted.add(name);
    } else if (name === DYNAMIC_FIELD_NAME && schema.enableDynamicField) {
      allDynamic = true;
    } else {
      keys.add(dynamicKeyOf(name, schema));
    }
  }
  const key = primaryField(schema);
  const fields = schema.fields.filter((field) => field !== key && wanted.has(field.name));
  const isDynamic = allDynamic || keys.size > 0;
  return {
    fieldIds: [key.id, ...fields.map((field) => field.id), ...(isDynamic ? [DYNAMIC_FIELD_ID] : [])],
    dynamicKeys: allDynamic ? 'all' : [...keys],
  };
}

function dynamicKeyOf(name: string, schema: CollectionSchema): string {
  const details = { field: name };
  if (!schema.enableDynamicField) {
    const isPath = schema.fields.some((field) => name.startsWith(`${field.name}[`));
    if (isPath)
      throw invalid(`parse output field name failed: ${name}: a path into a field is not allowed here`, { details });
    throw invalid(`field ${name} not exist`, { details });
  }
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  const [, doubleQuoted, singleQuoted] = DYNAMIC_KEY.exec(name) ?? [];
  const quoted = doubleQuoted ?? singleQuoted;
  if (quoted !== undefined) return quoted.replace(/\\(.)/gs, '$1');
  throw invalid(`parse output field name failed: ${name}: write a dynamic key that is no identifier as $meta["key"]`, {
    details,
  });
}

/**
 * The rows of a batch as callers see them: Int64 as bigint, Float as the shortest decimal that is the same float32, JSON
 * parsed (integers beyond 2^53 as bigint), vectors as Float32Array of their own, null as null. Dynamic keys lie at the
 * top level, and are absent from rows that lack them; a field or a distance goes before a dynamic key of its name.
 *
 * @param distances one for each row of a search
 */
export function rowsFromBatch(
  batch: ColumnBatch,
  schema: CollectionSchema,
  output: OutputPlan,
  distances?: Float32Array,
): Row[] {
  const rows: Row[] = Array.from({ length: batch.length }, () => ({}));
  for (const [position, id] of output.fieldIds.entries()) {
    const field = schema.fields.find((candidate) => candidate.id === id);
    if (field !== undefined) addField(rows, field, batch);
    if (position === 0 && distances !== undefined) {
      for (const [index, row] of rows.entries()) row['distance'] = shortestFloat32(distances[index] ?? Number.NaN);
    }
  }
  const dynamic = output.fieldIds.includes(DYNAMIC_FIELD_ID) ? batch.scalars.get(DYNAMIC_FIELD_ID) : undefined;
  if (dynamic?.type === 'JSON') addDynamic(rows, dynamic.values, output.dynamicKeys);
  return rows;
}

function addField(rows: readonly Row[], { id, name }: Field, batch: ColumnBatch): void {
  const vectors = batch.vectors.get(id);
  const column = batch.scalars.get(id);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as Row;
    if (vectors !== undefined) {
      setOwn(row, name, vectors.values.slice(index * vectors.dimension, (index + 1) * vectors.dimension));
    } else if (column !== undefined) {
      setOwn(row, name, isNull(column, index) ? null : valueAt(column, index));
    }
  }
}

/** A value that is not null, as a caller sees it. */
function valueAt(column: Column, row: number): unknown {
  switch (column.type) {
    case 'Bool':
      return column.values[row] === 1;
    case 'Float':
      return shortestFloat32(column.values[row] ?? Number.NaN);
    case 'JSON':
      return parseJson(column.values[row] ?? 'null');
    case 'Array': {
      const elements = column.values[row] ?? [];
      // Elements of Float are numbers that a float32 holds exactly.
      return elements.map((element) =>
        column.elementType === 'Float' && typeof element === 'number' ? shortestFloat32(element) : element,
      );
    }
    default:
      return column.values[row];
  }
}

function addDynamic(rows: readonly Row[], texts: readonly string[], keys: 'all' | readonly string[]): void {
  for (let index = 0; index < rows.length; index++) {
    const text = texts[index] ?? '{}';
    const document = text === '{}' ? undefined : parseJson(text);
    if (!isRecord(document)) continue;
    const row = rows[index] as Row;
    for (const key of keys === 'all' ? Object.keys(document) : keys) {
      if (Object.hasOwn(document, key) && !Object.hasOwn(row, key)) setOwn(row, key, document[key]);
    }
  }
}

/** Sets an own key; assigning to `__proto__`, which names fields and keys like any other, would do something else. */
function setOwn(row: Row, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true });
  } else row[name] = value;
}
