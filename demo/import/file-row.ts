/** One row of a file: the names of its columns to what stands there. Of a CSV file, all values are texts. */
export interface FileRow {
  /** Where the row begins, counted from 1. */
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Rows that were read together, and how far into the file they reach. */
export interface FileRows {
  readonly rows: readonly FileRow[];
  readonly bytes: number;
}

export type FileFormat = 'csv' | 'json' | 'json-lines';

/** Names of columns that a file may have; more would not fit a collection. */
export const COLUMNS_MAX = 200;
