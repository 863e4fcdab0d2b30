import { localWeight, type TermCounts } from './term-counts.ts';

/** A sparse matrix by rows: row `i` has the values from `rowStarts[i]` to `rowStarts[i + 1]`. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly rowStarts: Uint32Array;
  readonly columnOf: Uint32Array;
  readonly values: Float64Array;
}

/** What the corpus says about its terms; all lists are in the order of `terms`. */
export interface Vocabulary {
  readonly terms: readonly string[];
  /** In how many documents a term occurs. */
  readonly documentCounts: readonly number[];
  /** 0 to 1: how much a term says about the documents that have it. */
  readonly weights: readonly number[];
}

/**
 * The terms of a corpus, weighted by entropy: a term that is spread evenly over all documents has weight 0, one that
 * occurs in a single document has weight 1. (Dumais, "Improving the retrieval of information from external sources",
 * 1991: log-entropy is the best of the usual weightings for LSA; it was here too.)
 *
 * Terms with at least `vectorDocumentsMin` documents come first, then the rest; each group is sorted by UTF-16 units.
 */
export function makeVocabulary(documents: readonly TermCounts[], vectorDocumentsMin: number): Vocabulary {
  const totals = new Map<string, { count: number; documents: number; sum: number }>();
  for (const counts of documents) {
    for (const [term, count] of counts) {
      const total = totals.get(term) ?? { count: 0, documents: 0, sum: 0 };
      total.count += count;
      total.documents += 1;
      total.sum += count * Math.log(count);
      totals.set(term, total);
    }
  }
  const spread = Math.log(Math.max(2, documents.length));
  const sorted = [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
  const known = sorted.filter(([, total]) => total.documents >= vectorDocumentsMin);
  const rare = sorted.filter(([, total]) => total.documents < vectorDocumentsMin);
  const entries = [...known, ...rare];
  return {
    terms: entries.map(([term]) => term),
    documentCounts: entries.map(([, total]) => total.documents),
    // The sum of p·ln p with p = count / total, written so that one pass over the corpus is enough.
    weights: entries.map(([, { count, sum }]) => Math.max(0, 1 + (sum / count - Math.log(count)) / spread)),
  };
}

/** The weighted matrix documents × the first `columns` terms of the vocabulary. */
export function weightedMatrix(
  documents: readonly TermCounts[],
  vocabulary: Vocabulary,
  columns: number,
): SparseMatrix {
  const columnByTerm = new Map(vocabulary.terms.slice(0, columns).map((term, column) => [term, column]));
  const rowStarts = new Uint32Array(documents.length + 1);
  const columnOf: number[] = [];
  const values: number[] = [];
  for (const [row, counts] of documents.entries()) {
    for (const [term, count] of counts) {
      const column = columnByTerm.get(term);
      if (column === undefined) continue;
      columnOf.push(column);
      values.push(localWeight(count) * (vocabulary.weights[column] ?? 0));
    }
    rowStarts[row + 1] = values.length;
  }
  return {
    rows: documents.length,
    columns,
    rowStarts,
    columnOf: Uint32Array.from(columnOf),
    values: Float64Array.from(values),
  };
}

/** Gives every row that has a value the length 1, so that a long document weighs no more than a short one. */
export function normalizeRows(matrix: SparseMatrix): SparseMatrix {
  const values = matrix.values.slice();
  for (let row = 0; row < matrix.rows; row++) {
    const part = values.subarray(matrix.rowStarts[row], matrix.rowStarts[row + 1]);
    const length = Math.sqrt(part.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (const [index, value] of part.entries()) part[index] = value / length;
  }
  return { ...matrix, values };
}
