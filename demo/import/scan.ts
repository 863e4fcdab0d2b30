import { type ColumnFacts, ColumnScan, fieldNames, TEXT_BYTES_MAX } from './columns.ts';
import { fileError } from './file-error.ts';
import { COLUMNS_MAX, type FileFormat, type FileRow } from './file-row.ts';
import { formatOf, readRows } from './rows.ts';

/** What a file is, after all of it has been read once: nothing is stored before. */
export interface FileFacts {
  readonly name: string;
  readonly bytes: number;
  readonly format: FileFormat;
  readonly rows: number;
  readonly columns: readonly ColumnFacts[];
  /** The first rows, for the preview. */
  readonly first: readonly FileRow[];
  /** Texts that are longer than a field takes: their ends will be cut. */
  readonly longTexts: number;
  /** Whole numbers of JSON beyond 2^53, where not every one has a value of its own: some may have been rounded. */
  readonly roundedNumbers: number;
}

const PREVIEW_ROWS = 5;

/**
 * Reads a whole file once: which columns it has and what they hold, and whether every row can be read. A file that
 * would fail in its middle fails here, before anything of it is stored.
 *
 * Throws `invalid`, with the line where there is one.
 *
 * @param onProgress hears how many bytes of the file have been read
 */
export async function scanFile(
  file: Blob,
  name: string,
  onProgress?: (bytes: number) => void | Promise<void>,
): Promise<FileFacts> {
  const format = await formatOf(file, name);
  const scans = new Map<string, ColumnScan>();
  const first: FileRow[] = [];
  const isTyped = format !== 'csv';
  let count = 0;
  let longTexts = 0;
  let roundedNumbers = 0;
  for await (const { rows, bytes } of readRows(file, format)) {
    for (const row of rows) {
      for (const [column, value] of Object.entries(row.values)) {
        scanOf(scans, column, isTyped, row.line).add(value);
        if (typeof value === 'string' && value.length * 3 > TEXT_BYTES_MAX && isLong(value)) longTexts++;
        if (Number.isInteger(value) && !Number.isSafeInteger(value)) roundedNumbers++;
      }
    }
    first.push(...rows.slice(0, PREVIEW_ROWS - first.length));
    count += rows.length;
    await onProgress?.(bytes);
  }
  if (count === 0) throw fileError('The file has no rows.');
  const names = [...scans.keys()];
  const fields = fieldNames(names);
  const columns = names.map((column, at) => scanOf(scans, column, isTyped, 1).facts(count, fields[at] ?? ''));
  if (columns.every(({ kind }) => kind !== 'text')) {
    throw fileError('No column holds text, so there is nothing to search by meaning.');
  }
  return { name, bytes: file.size, format, rows: count, columns, first, longTexts, roundedNumbers };
}

function scanOf(scans: Map<string, ColumnScan>, column: string, isTyped: boolean, line: number): ColumnScan {
  let scan = scans.get(column);
  if (scan === undefined) {
    if (scans.size >= COLUMNS_MAX) {
      throw fileError(`the rows up to here have more than ${COLUMNS_MAX} different columns.`, line);
    }
    scan = new ColumnScan(column, isTyped);
    scans.set(column, scan);
  }
  return scan;
}

function isLong(text: string): boolean {
  return new TextEncoder().encode(text).length > TEXT_BYTES_MAX;
}

const TEXT_NAME =
  /^(text|body|content|contents|description|plot|abstract|summary|review|comment|message|overview|question|quote|lyrics|note|notes)$/i;
const TITLE_NAME = /^(title|name|headline|heading|subject|label|product|question|track|song)$/i;

/** The column that most likely holds what a person searches: the longest texts, or one whose name says so. */
export function guessText(columns: readonly ColumnFacts[]): ColumnFacts | undefined {
  const worth = (column: ColumnFacts): number =>
    Math.min(column.meanLength, 2000) * (TEXT_NAME.test(column.name) ? 4 : 1) * (column.isKey ? 0.01 : 1);
  return columns
    .filter(({ kind }) => kind === 'text')
    .reduce<ColumnFacts | undefined>(
      (best, column) => (best && worth(best) >= worth(column) ? best : column),
      undefined,
    );
}

/** The column that most likely names a row: a title, else the text itself. */
export function guessTitle(columns: readonly ColumnFacts[], text: string): ColumnFacts | undefined {
  const texts = columns.filter(({ kind, choices }) => kind === 'text' && choices === undefined);
  return (
    columns.find(({ kind, name }) => kind === 'text' && TITLE_NAME.test(name)) ??
    texts.find(({ name, meanLength, isKey }) => name !== text && meanLength <= 80 && !isKey) ??
    columns.find(({ name }) => name === text)
  );
}
