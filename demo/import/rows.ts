import { csvRows } from './csv-rows.ts';
import { fileError } from './file-error.ts';
import type { FileFormat, FileRows } from './file-row.ts';
import { jsonLineRows, jsonListRows } from './json-rows.ts';

/**
 * What a file holds, by its first letters and, where they leave it open, by the end of its name.
 *
 * Throws `invalid` if the file is empty or is none of the three.
 */
export async function formatOf(file: Blob, name: string): Promise<FileFormat> {
  if (file.size === 0) throw fileError('The file is empty.');
  const start = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  if (start.includes(0)) {
    throw fileError('This is not a text file. Elanus reads CSV, JSON and JSON lines (also as .txt or .tsv).');
  }
  const text = new TextDecoder().decode(start).trimStart();
  if (text === '') throw fileError('The file begins with nothing but blanks.');
  if (text.startsWith('{')) return 'json-lines';
  if (text.startsWith('[')) return /\.(csv|tsv)$/i.test(name) ? 'csv' : 'json';
  if (/\.(json|jsonl|ndjson)$/i.test(name)) {
    throw fileError(
      `A JSON file begins with [ (a list of rows) or { (one row a line), and this one with ${JSON.stringify(text.slice(0, 12))}.`,
      1,
    );
  }
  return 'csv';
}

/** The rows of a file in its order, read as they are asked for. Throws `invalid` at the first that is wrong. */
export function readRows(file: Blob, format: FileFormat): AsyncGenerator<FileRows> {
  switch (format) {
    case 'csv':
      return csvRows(file);
    case 'json':
      return jsonListRows(file);
    case 'json-lines':
      return jsonLineRows(file);
  }
}
