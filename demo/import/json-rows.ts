import type { ElanusError } from '../../core/base/error.ts';
import { fileError } from './file-error.ts';
import { COLUMNS_MAX, type FileRow, type FileRows } from './file-row.ts';
import { countLines, textPieces } from './text-pieces.ts';

/** A row longer than this is a bracket or a quote that was never closed. */
const ROW_CHARACTERS_MAX = 16 * 1024 * 1024;

/** The rows of a file with one JSON object a line. Blank lines are left out. */
export async function* jsonLineRows(file: Blob): AsyncGenerator<FileRows> {
  let rest = '';
  let line = 1;
  for await (const { text, bytes } of textPieces(file)) {
    const lines = (rest + text).split('\n');
    rest = bytes === file.size ? '' : (lines.pop() ?? '');
    if (rest.length > ROW_CHARACTERS_MAX) throw tooLong(line + lines.length);
    const rows: FileRow[] = [];
    for (const written of lines) {
      if (written.trim() !== '') rows.push(parseRow(written, line, 'one JSON object a line'));
      line++;
    }
    if (rows.length > 0) yield { rows, bytes };
  }
}

/** The rows of a file that is one JSON list of objects; each is parsed when its end has been read. */
export async function* jsonListRows(file: Blob): AsyncGenerator<FileRows> {
  const list = new JsonList();
  for await (const { text, bytes } of textPieces(file)) {
    const rows = list.read(text);
    if (rows.length > 0) yield { rows, bytes };
  }
  list.end();
}

/** Cuts a JSON list into its elements without holding more than one. */
class JsonList {
  #rest = '';
  /** Where in `#rest` to look on. */
  #at = 0;
  /** Where the element under way begins in `#rest`; −1 between elements. */
  #start = -1;
  #depth = 0;
  #isInText = false;
  #line = 1;
  #state: 'before' | 'first' | 'element' | 'comma' | 'after' = 'before';

  read(text: string): FileRow[] {
    const rows: FileRow[] = [];
    this.#rest += text;
    for (; this.#at < this.#rest.length; this.#at++) {
      const letter = this.#rest.charCodeAt(this.#at);
      if (this.#start >= 0) {
        const row = this.#inElement(letter);
        if (row !== undefined) rows.push(row);
      } else {
        this.#between(letter);
      }
    }
    this.#forget();
    return rows;
  }

  end(): void {
    if (this.#state === 'after') return;
    throw fileError('the file ends before its list does: a closing ] is missing.', this.#line);
  }

  /** Lets go of what has been parsed. */
  #forget(): void {
    const keep = this.#start >= 0 ? this.#start : this.#at;
    this.#rest = this.#rest.slice(keep);
    this.#at -= keep;
    if (this.#start >= 0) this.#start = 0;
    if (this.#rest.length > ROW_CHARACTERS_MAX) throw tooLong(this.#line);
  }

  #between(letter: number): void {
    if (letter === LINE_END) this.#line++;
    if (BLANKS.has(letter)) return;
    if (this.#state === 'before' && letter === OPEN_LIST) this.#state = 'first';
    else if (this.#state === 'comma' && letter === COMMA) this.#state = 'element';
    else if ((this.#state === 'comma' || this.#state === 'first') && letter === CLOSE_LIST) this.#state = 'after';
    else if ((this.#state === 'first' || this.#state === 'element') && letter === OPEN_OBJECT) this.#open();
    else throw this.#unexpected(letter);
  }

  #open(): void {
    this.#start = this.#at;
    this.#depth = 1;
    this.#isInText = false;
  }

  #inElement(letter: number): FileRow | undefined {
    if (this.#isInText) {
      if (letter === BACKSLASH) this.#at++;
      else if (letter === QUOTE) this.#isInText = false;
      return undefined;
    }
    if (letter === QUOTE) this.#isInText = true;
    else if (letter === OPEN_OBJECT || letter === OPEN_LIST) this.#depth++;
    else if (letter === CLOSE_OBJECT || letter === CLOSE_LIST) this.#depth--;
    return this.#depth === 0 ? this.#close() : undefined;
  }

  #close(): FileRow {
    const written = this.#rest.slice(this.#start, this.#at + 1);
    const row = parseRow(written, this.#line, 'an object of the list');
    this.#line += countLines(written);
    this.#start = -1;
    this.#state = 'comma';
    return row;
  }

  #unexpected(letter: number): ElanusError {
    const found = JSON.stringify(String.fromCharCode(letter));
    const wanted = {
      before: 'the list begins with [',
      first: 'the list holds objects: { comes here, or ] at its end',
      element: 'after a comma another object { comes',
      comma: 'after an object comes a comma or the closing ]',
      after: 'nothing may follow the list',
    }[this.#state];
    return fileError(`${found} stands where ${wanted}.`, this.#line);
  }
}

const LINE_END = 10;
const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const BLANKS: ReadonlySet<number> = new Set([9, LINE_END, 13, 32]);

function parseRow(text: string, line: number, wanted: string): FileRow {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw fileError(`this is not valid JSON (${(error as Error).message}); expected ${wanted}.`, line);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw fileError(`expected ${wanted}, such as {"title": "…"}.`, line);
  }
  const count = Object.keys(values).length;
  if (count === 0) throw fileError('this row has no values.', line);
  if (count > COLUMNS_MAX) throw fileError(`${count} columns; a file may have at most ${COLUMNS_MAX}.`, line);
  return { line, values: values as Record<string, unknown> };
}

function tooLong(line: number): ElanusError {
  return fileError('a row of more than 16 MB begins here; is a bracket or a quote not closed?', line);
}
