/// <reference path="./papaparse.d.ts" />
import Papa from 'papaparse';
import type { ElanusError } from '../../core/base/error.ts';
import { fileError } from './file-error.ts';
import { COLUMNS_MAX, type FileRow, type FileRows } from './file-row.ts';
import { countLines, textPieces } from './text-pieces.ts';

/** A row longer than this is a quote that was never closed. */
const ROW_CHARACTERS_MAX = 8 * 1024 * 1024;

/**
 * The rows of a CSV file (RFC 4180; comma, semicolon, tab or bar), the first of which names the columns. Blank lines
 * are left out.
 *
 * Throws `invalid` with the line of a row that has more or fewer values than there are columns, or a quote that is
 * not closed.
 */
export async function* csvRows(file: Blob): AsyncGenerator<FileRows> {
  const table = new Table();
  let rest = '';
  let bytes = 0;
  for await (const piece of textPieces(file)) {
    rest += piece.text;
    bytes = piece.bytes;
    const isEnd = bytes === file.size;
    const { rows, end } = table.read(rest, isEnd);
    rest = rest.slice(end);
    if (rest.length > ROW_CHARACTERS_MAX) throw table.unclosed();
    if (rows.length > 0) yield { rows, bytes };
  }
  if (!table.hasColumns) throw fileError('The file has no line with the names of the columns.');
}

class Table {
  #parser: InstanceType<typeof Papa.Parser> | undefined;
  #columns: readonly string[] | undefined;
  /** The line where the next row begins. */
  #line = 1;

  get hasColumns(): boolean {
    return this.#columns !== undefined;
  }

  unclosed(): ElanusError {
    return fileError('a quote (") opens here and is not closed.', this.#line);
  }

  /** The whole rows of a text, or all of it at the end of the file, and where the first row begins that is not whole. */
  read(text: string, isEnd: boolean): { readonly rows: FileRow[]; readonly end: number } {
    this.#parser ??= parserFor(text);
    const { data, errors, meta } = this.#parser.parse(text, 0, !isEnd);
    // Of a row with several errors the first one is told.
    const wrong = new Map(errors.toReversed().map((error) => [error.row ?? 0, error.code]));
    const rows: FileRow[] = [];
    for (const [index, values] of data.entries()) {
      const code = wrong.get(index);
      if (code === 'MissingQuotes') throw this.unclosed();
      if (code !== undefined) {
        throw fileError('a quoted value goes on after its closing quote; a quote inside is written "".', this.#line);
      }
      const row = this.#row(values);
      if (row !== undefined) rows.push(row);
    }
    return { rows, end: isEnd ? text.length : meta.cursor };
  }

  #row(values: readonly string[]): FileRow | undefined {
    const line = this.#line;
    this.#line += 1 + values.reduce((count, value) => count + countLines(value), 0);
    if (values.length === 1 && (values[0] ?? '').trim() === '') return undefined;
    if (this.#columns === undefined) {
      this.#columns = checkColumns(values, line);
      return undefined;
    }
    if (values.length !== this.#columns.length) {
      throw fileError(
        `${values.length} value${values.length === 1 ? '' : 's'}, but the first line names ${this.#columns.length} columns (${this.#columns.slice(0, 5).join(', ')}${this.#columns.length > 5 ? ', …' : ''}).`,
        line,
      );
    }
    const named = this.#columns.map((column, at) => [column, values[at] ?? ''] as const);
    return { line, values: Object.fromEntries(named) };
  }
}

function parserFor(text: string): InstanceType<typeof Papa.Parser> {
  const { delimiter, linebreak } = Papa.parse(text.slice(0, 64 * 1024), { preview: 20 }).meta;
  return new Papa.Parser({ delimiter, newline: linebreak });
}

function checkColumns(values: readonly string[], line: number): string[] {
  const columns = values.map((value, at) => (value.trim() === '' ? `column ${at + 1}` : value.trim()));
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw fileError(`two columns are named ${JSON.stringify(twice)}.`, line);
  if (columns.length > COLUMNS_MAX) {
    throw fileError(`${columns.length} columns; a file may have at most ${COLUMNS_MAX}.`, line);
  }
  return columns;
}
