/** The rows of a shared group: all are written by each of its requests, so that a reader can tell a torn one. */
export const GROUP_ROWS = 5;

/** Key of the first row of the first group; the writers' own keys lie below. */
const GROUP_BASE = 8_000_000_000_000;

/** Keys of one writer begin here, times the writer's number plus one. */
const WRITER_BASE = 1_000_000_000;

/**
 * One call of the workload. A batch number is drawn once and stands in every row that its call writes, so that each row
 * that is found names the call that it came from.
 */
export type Operation =
  /** Rows under keys of one writer, new or there already; both methods replace. */
  | {
      readonly kind: 'write';
      readonly method: 'insert' | 'upsert';
      readonly batch: number;
      readonly keys: readonly number[];
    }
  /** All rows of a group that several writers write. */
  | { readonly kind: 'share'; readonly group: number; readonly batch: number }
  | { readonly kind: 'delete'; readonly keys: readonly number[] }
  /** Rows under automatic keys: a request that is applied twice shows by its number of rows. */
  | { readonly kind: 'append'; readonly batch: number; readonly rows: number }
  /** Deletes by a filter what one `append` wrote. */
  | { readonly kind: 'drop'; readonly batch: number }
  | { readonly kind: 'flush'; readonly collectionName: 'keyed' | 'automatic' };

/** A method of the database, and its body. */
export interface Call {
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The two collections of the workload; creating them again changes nothing. */
export const CREATE_CALLS: readonly Call[] = [
  { method: 'createCollection', body: { collectionName: 'keyed', dimension: 2 } },
  { method: 'createCollection', body: { collectionName: 'automatic', dimension: 2, autoID: true } },
];

/** The calls by which an operation is carried out. */
export function callOf(operation: Operation): Call {
  switch (operation.kind) {
    case 'write':
      return { method: operation.method, body: keyedRows(operation.keys, operation.batch) };
    case 'share':
      return { method: 'upsert', body: keyedRows(groupKeys(operation.group), operation.batch) };
    case 'delete':
      return { method: 'delete', body: { collectionName: 'keyed', ids: operation.keys } };
    case 'append': {
      const { batch, rows } = operation;
      const filler = fillerOf(batch);
      const data = Array.from({ length: rows }, (_, row) => ({ row, batch, filler, vector: vectorOf(row, batch) }));
      return { method: 'insert', body: { collectionName: 'automatic', data } };
    }
    case 'drop':
      return { method: 'delete', body: { collectionName: 'automatic', filter: `batch == ${operation.batch}` } };
    case 'flush':
      return { method: 'flush', body: { collectionName: operation.collectionName } };
  }
}

/** The vector that a row must have: a row whose parts come from two requests does not have it. */
export function vectorOf(key: number, batch: number): [number, number] {
  return [(key % 9973) + 1, (batch % 9973) + 1];
}

/** Some rows are long: browsers keep values from some size on in files of their own. */
export function fillerOf(batch: number): string {
  return batch % 16 === 0 ? 'f'.repeat(40_000) : '';
}

/** The keys of a shared group. */
export function groupKeys(group: number): number[] {
  return Array.from({ length: GROUP_ROWS }, (_, row) => GROUP_BASE + group * GROUP_ROWS + row);
}

/** The group that a key belongs to; undefined for a writer's own key. */
export function groupOf(key: number): number | undefined {
  return key < GROUP_BASE ? undefined : Math.floor((key - GROUP_BASE) / GROUP_ROWS);
}

/** A key that only this writer writes. */
export function ownKey(writer: number, index: number): number {
  return (writer + 1) * WRITER_BASE + index;
}

function keyedRows(keys: readonly number[], batch: number): Call['body'] {
  return { collectionName: 'keyed', data: keys.map((id) => ({ id, batch, vector: vectorOf(id, batch) })) };
}
