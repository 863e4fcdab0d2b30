import { ElanusError } from '../base/error.ts';
import type { Embedder, RowInput } from '../elanus.ts';
import { EMBED_BATCH_DEFAULT, TEXT_BYTES_PER_REQUEST, TEXT_ROWS_PER_REQUEST } from '../model/limits.ts';

/** Which field is embedded, and which one takes the vector. */
export interface TextFields {
  readonly textField: string;
  readonly vectorField: string;
}

/** The text of each row that has no vector; `undefined` for those that bring theirs. Throws `invalid` for a row with neither. */
export function textsOf(rows: readonly RowInput[], fields: TextFields): (string | undefined)[] {
  const { textField, vectorField } = fields;
  return rows.map((row, at) => {
    if (row[vectorField] !== undefined && row[vectorField] !== null) return undefined;
    const text = row[textField];
    if (typeof text === 'string') return text;
    throw new ElanusError('invalid', `Row ${at} has neither a vector in ${vectorField} nor a text in ${textField}.`, {
      details: { row: at, field: textField },
    });
  });
}

/** Rows `start` to before `end`, which are one request. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** Cuts rows into requests, in their order: of a bounded number of rows, and of bounded size with their vectors. */
export function* partsOf(rows: readonly RowInput[], embedder: Embedder): Generator<Part> {
  const atOnce = (embedder.batchSize ?? EMBED_BATCH_DEFAULT) * (embedder.concurrency ?? 1);
  const rowsMax = Math.max(TEXT_ROWS_PER_REQUEST, atOnce);
  const vectorBytes = embedder.dimension * Float32Array.BYTES_PER_ELEMENT;
  let start = 0;
  let bytes = 0;
  for (const [at, row] of rows.entries()) {
    const rowBytes = vectorBytes + roughBytes(row);
    if (at > start && (at - start === rowsMax || bytes + rowBytes > TEXT_BYTES_PER_REQUEST)) {
      yield { start, end: at };
      start = at;
      bytes = 0;
    }
    bytes += rowBytes;
  }
  if (rows.length > start) yield { start, end: rows.length };
}

/** About as many bytes as a value takes in a record; a text's UTF-8 is not counted, it is at least this long. */
function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = 0;
  for (const part of Object.values(value)) bytes += roughBytes(part);
  return bytes;
}
