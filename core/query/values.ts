import { parseJson } from '../base/json.ts';
import type { Column } from '../model/column.ts';
import { calculate } from './constants.ts';
import type { ArrayOperand, Operand } from './expression.ts';

/** The columns of the rows that are evaluated, by field id. */
export interface RowSource {
  column(fieldId: number): Column;
}

/** Documents of JSON columns that are kept parsed, so that a second filter need not parse them again. */
const parsedColumns = new WeakMap<object, unknown[]>();

/** The value of an operand in each row; `undefined` where it is null or absent. */
export function valuesOf(operand: Operand | ArrayOperand, rows: RowSource, count: number): unknown[] {
  switch (operand.kind) {
    case 'column':
    case 'array':
      return columnValues(rows.column(operand.fieldId), count);
    case 'json':
      return documents(rows.column(operand.fieldId), count).map((document) => follow(document, operand.path));
    case 'element':
      return columnValues(rows.column(operand.fieldId), count).map((value) =>
        Array.isArray(value) ? value[operand.index] : undefined,
      );
    case 'length':
      return valuesOf(operand.of, rows, count).map((value) =>
        Array.isArray(value) ? BigInt(value.length) : undefined,
      );
    case 'arithmetic': {
      const { operator, constant, left } = operand;
      return valuesOf(operand.operand, rows, count).map((value) => {
        if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
        // Integers beyond 2^53 stay exact where the constant is an integer too.
        const both =
          typeof constant === 'bigint' && typeof value === 'number' && Number.isSafeInteger(value)
            ? BigInt(value)
            : value;
        return left ? calculate(operator, constant, both) : calculate(operator, both, constant);
      });
    }
  }
}

function columnValues(column: Column, count: number): unknown[] {
  const { values, valid } = column;
  const found: unknown[] = new Array(count);
  const isBool = column.type === 'Bool';
  for (let row = 0; row < count; row++) {
    if (valid !== undefined && valid[row] === 0) found[row] = undefined;
    else found[row] = isBool ? values[row] === 1 : values[row];
  }
  return found;
}

/** The parsed documents of a JSON column; `undefined` for a row that is null. */
export function documents(column: Column, count: number): unknown[] {
  const texts = column.values as readonly string[];
  let parsed = parsedColumns.get(texts);
  if (parsed === undefined) {
    parsed = [];
    parsedColumns.set(texts, parsed);
  }
  // A growing column appends to the same list of texts, so what was parsed stays right.
  for (let row = parsed.length; row < count; row++) {
    parsed.push(column.valid !== undefined && column.valid[row] === 0 ? undefined : parseJson(texts[row] ?? 'null'));
  }
  return parsed.length === count ? parsed : parsed.slice(0, count);
}

/** What lies at a path of a document; `undefined` if nothing does. */
function follow(document: unknown, path: readonly (string | number)[]): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = typeof step === 'number' ? value[step] : undefined;
    else value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }
  return value;
}
