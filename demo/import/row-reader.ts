import type { RowInput } from 'elanus/browser';
import { toValue } from './columns.ts';
import type { FileFormat, FileRow } from './file-row.ts';
import type { PlannedColumn } from './plan.ts';
import { readRows } from './rows.ts';

/** Rows as a collection takes them, and how far into the file they reach. */
export interface RowsRead {
  readonly rows: readonly RowInput[];
  readonly bytes: number;
}

/** Reads a file a second time, now to store it: the rows that are asked for, and no further. */
export class RowReader {
  readonly #columns: readonly PlannedColumn[];
  readonly #rowNumber: string | undefined;
  readonly #pieces: AsyncGenerator<{ readonly rows: readonly FileRow[]; readonly bytes: number }>;
  #waiting: readonly FileRow[] = [];
  #at = 0;
  #bytes = 0;
  #count = 0;

  constructor(
    file: Blob,
    plan: {
      readonly format: FileFormat;
      readonly columns: readonly PlannedColumn[];
      readonly rowNumber: string | undefined;
    },
  ) {
    this.#columns = plan.columns;
    this.#rowNumber = plan.rowNumber;
    this.#pieces = readRows(file, plan.format);
  }

  /** At most `count` rows; undefined after the last. */
  async next(count: number): Promise<RowsRead | undefined> {
    while (this.#at >= this.#waiting.length) {
      const piece = await this.#pieces.next();
      if (piece.done) return undefined;
      this.#waiting = piece.value.rows;
      this.#bytes = piece.value.bytes;
      this.#at = 0;
    }
    const rows = this.#waiting.slice(this.#at, this.#at + count);
    this.#at += rows.length;
    return { rows: rows.map((row) => this.#toRow(row)), bytes: this.#bytes };
  }

  /** Lets go of the file. */
  async end(): Promise<void> {
    await this.#pieces.return(undefined);
  }

  #toRow({ values }: FileRow): RowInput {
    this.#count++;
    const row: Record<string, unknown> = this.#rowNumber === undefined ? {} : { [this.#rowNumber]: this.#count };
    for (const { name, field, kind, emptyText } of this.#columns) {
      row[field] = toValue(kind, values[name]) ?? (emptyText ? '' : null);
    }
    return row;
  }
}
