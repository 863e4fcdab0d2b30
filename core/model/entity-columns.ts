import { ElanusError } from '../base/error.ts';
import { stringifyJson } from '../base/json.ts';
import { utf8Length } from '../base/utf8-length.ts';
import type { ArrayValue, Column, VectorColumn } from './column.ts';
import { jsonFlaw } from './entity-json.ts';
import {
  explainScalar,
  readBool,
  readDouble,
  readFloat,
  readInteger,
  readScalar,
  readText,
  type ScalarValue,
} from './entity-values.ts';
import { toInt64 } from './int64.ts';
import { kindOf } from './reject.ts';
import type { RowInput } from './row.ts';
import type { ElementType, Field } from './schema.ts';

/**
 * The error of a row that cannot be written. Without a code it is Milvus's 1804, whose message says so first; with 1100
 * the text stands alone, as Milvus has it.
 */
export function rowError(text: string, field: string, row: number, milvusCode: 1804 | 1100 = 1804): ElanusError {
  const message = milvusCode === 1804 ? `fail to deal the insert data, error: ${text}` : `${text}: invalid parameter`;
  return new ElanusError('invalid', message, { milvusCode, details: { field, row } });
}

/** The values of a scalar field in all rows, each checked. */
export function buildColumn(field: Field, rows: readonly RowInput[]): Column {
  const { length } = rows;
  switch (field.type) {
    case 'Bool': {
      const values = new Uint8Array(length);
      const valid = fill(field, rows, values, (value) => toBit(readBool(value)));
      return { type: 'Bool', length, values, ...valid };
    }
    case 'Int8': {
      const values = new Int8Array(length);
      return { type: 'Int8', length, values, ...fill(field, rows, values, (value) => readInteger('Int8', value)) };
    }
    case 'Int16': {
      const values = new Int16Array(length);
      return { type: 'Int16', length, values, ...fill(field, rows, values, (value) => readInteger('Int16', value)) };
    }
    case 'Int32': {
      const values = new Int32Array(length);
      return { type: 'Int32', length, values, ...fill(field, rows, values, (value) => readInteger('Int32', value)) };
    }
    case 'Int64': {
      const values = new BigInt64Array(length);
      return { type: 'Int64', length, values, ...fill(field, rows, values, toInt64) };
    }
    case 'Float': {
      const values = new Float32Array(length);
      return { type: 'Float', length, values, ...fill(field, rows, values, readFloat) };
    }
    case 'Double': {
      const values = new Float64Array(length);
      return { type: 'Double', length, values, ...fill(field, rows, values, readDouble) };
    }
    case 'VarChar': {
      const values = new Array<string>(length).fill('');
      const valid = fill(field, rows, values, (value, row) => readVarChar(field, value, row));
      return { type: 'VarChar', length, values, ...valid };
    }
    case 'JSON': {
      const values = new Array<string>(length).fill('');
      return {
        type: 'JSON',
        length,
        values,
        ...fill(field, rows, values, (value, row) => readJson(field, value, row)),
      };
    }
    case 'Array': {
      const { elementType = 'VarChar' } = field;
      const values = new Array<ArrayValue>(length).fill([]);
      const valid = fill(field, rows, values, (value, row) => readArray(field, elementType, value, row));
      return { type: 'Array', elementType, length, values, ...valid };
    }
    case 'FloatVector':
      throw new ElanusError(
        'internal',
        `The vector field ${field.name} is not a scalar column. This is a bug in Elanus.`,
      );
  }
}

/** The vectors of a field in all rows, copied once into one array. */
export function buildVectors(field: Field, rows: readonly RowInput[]): VectorColumn {
  const { name, dimension = 0 } = field;
  const values = new Float32Array(rows.length * dimension);
  for (let row = 0; row < rows.length; row++) {
    const vector = givenIn(rows[row] as RowInput, field, row);
    const isList = Array.isArray(vector) || vector instanceof Float32Array || vector instanceof Float64Array;
    if (!isList) throw rowError(`field ${name} expects a list of numbers, got ${kindOf(vector)}`, name, row);
    if (vector.length !== dimension) {
      throw rowError(
        `[]float32 size ${vector.length} doesn't equal to vector dimension ${dimension} of FloatVector, field ${name}`,
        name,
        row,
      );
    }
    const flaw = copyVector(vector, values, row * dimension);
    if (flaw !== undefined) throw rowError(`field ${name} ${flaw}`, name, row);
  }
  return { dimension, length: rows.length, values };
}

/** Copies a vector to `offset` of `target`, or says what is wrong with one of its values. */
export function copyVector(vector: ArrayLike<unknown>, target: Float32Array, offset: number): string | undefined {
  if (vector instanceof Float32Array && isFinite32(vector)) {
    target.set(vector, offset);
    return undefined;
  }
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index];
    if (typeof value !== 'number') return `expects numbers, got ${kindOf(value)} at index ${index}`;
    const float = Math.fround(value);
    // Only NaN and the infinities are not zero when taken from themselves.
    if (float - float !== 0) {
      if (!Number.isFinite(value)) return `has ${value} at index ${index}: value is not a number or infinity`;
      return `has ${value} at index ${index}: value is outside the float32 range`;
    }
    target[offset + index] = float;
  }
  return undefined;
}

/** Apart from the loop over lists, which the engine would compile for no one kind of array otherwise. */
function isFinite32(vector: Float32Array): boolean {
  let sum = 0;
  // Zero times a finite value is zero; times NaN or an infinity it is NaN, which stays.
  for (let index = 0; index < vector.length; index++) sum += (vector[index] as number) * 0;
  return sum === 0;
}

/** What a row says of a field: null only where null is to be stored; a default stands in for both absent and null. */
function givenIn(row: RowInput, field: Field, index: number): unknown {
  const value = Object.hasOwn(row, field.name) ? row[field.name] : undefined;
  if (value !== undefined && value !== null) return value;
  if (field.defaultValue !== undefined) return field.defaultValue;
  if (field.nullable) return null;
  const text = value === null ? 'is not nullable: invalid parameter' : 'is required: missing parameter';
  throw rowError(`field ${field.name} ${text}`, field.name, index);
}

/** Fills `values`; gives the validity bytes if a row is null. `read` gives nothing for a value that is refused. */
function fill<Value>(
  field: Field,
  rows: readonly RowInput[],
  values: { [row: number]: Value },
  read: (value: unknown, row: number) => Value | undefined,
): { readonly valid?: Uint8Array } {
  let valid: Uint8Array | undefined;
  for (let row = 0; row < rows.length; row++) {
    const value = givenIn(rows[row] as RowInput, field, row);
    if (value === null) {
      valid ??= new Uint8Array(rows.length).fill(1);
      valid[row] = 0;
      continue;
    }
    const stored = read(value, row);
    if (stored === undefined)
      throw rowError(explainScalar(field.type as ElementType, field.name, value), field.name, row);
    values[row] = stored;
  }
  return valid === undefined ? {} : { valid };
}

function toBit(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function readVarChar(field: Field, value: unknown, row: number): string | undefined {
  const text = readText(value);
  if (text !== undefined) checkLength(field, text, row);
  return text;
}

function checkLength({ name, maxLength = 0 }: Field, text: string, row: number): void {
  // A UTF-16 unit is at most three bytes, so that most texts need not be counted.
  if (text.length * 3 <= maxLength) return;
  const bytes = utf8Length(text);
  if (bytes <= maxLength) return;
  throw rowError(
    `length of varchar field ${name} exceeds max length, row number: ${row}, length: ${bytes}, max length: ${maxLength}`,
    name,
    row,
    1100,
  );
}

function readJson(field: Field, value: unknown, row: number): string {
  const flaw = jsonFlaw(value);
  if (flaw !== undefined) throw rowError(`field ${field.name} ${flaw}`, field.name, row);
  return stringifyJson(value);
}

function readArray(field: Field, elementType: ElementType, value: unknown, row: number): ArrayValue {
  const { name, maxCapacity = 0 } = field;
  const list = ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Uint8Array) : value;
  if (!Array.isArray(list)) throw rowError(`field ${name} expects an array, got ${kindOf(value)}`, name, row);
  if (list.length > maxCapacity) {
    throw rowError(
      `array length exceeds max capacity of field ${name}, row number: ${row}, length: ${list.length}, max capacity: ${maxCapacity}`,
      name,
      row,
      1100,
    );
  }
  const elements: ScalarValue[] = [];
  for (let index = 0; index < list.length; index++) {
    const element: unknown = list[index];
    if (element === undefined || element === null) {
      throw rowError(`field ${name} has a null at index ${index}; an array element cannot be null`, name, row);
    }
    const read = readScalar(elementType, element);
    if (read === undefined) {
      throw rowError(`element ${index}: ${explainScalar(elementType, name, element)}`, name, row);
    }
    if (typeof read === 'string') checkLength(field, read, row);
    elements.push(read);
  }
  return elements;
}
