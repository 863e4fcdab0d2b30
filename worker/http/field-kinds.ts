/** Which fields of the rows of an answer are not what JSON makes of them. */
export interface FieldKinds {
  /** Fields of Int64, or of arrays of Int64. */
  readonly int64: string[];
  /** Fields of float vectors. */
  readonly vectors: string[];
}

/**
 * Tells the kinds of fields from what the engine gave: an Int64 field is bigint in every row that has a value, and an
 * array of Int64 in every element. A dynamic or JSON value is bigint only where a number would round it, so a field
 * that mixes both is not one of Int64, and its large values stay exact by themselves.
 */
export function fieldKinds(rows: readonly Readonly<Record<string, unknown>>[]): FieldKinds {
  const seen = new Map<string, 'int64' | 'vector' | 'other'>();
  for (const row of rows) {
    for (const field of Object.keys(row)) {
      const kind = kindOf(row[field]);
      if (kind === undefined) continue;
      const before = seen.get(field);
      if (before === undefined) seen.set(field, kind);
      else if (before !== kind) seen.set(field, 'other');
    }
  }
  const named = (kind: string): string[] => [...seen].flatMap(([field, its]) => (its === kind ? [field] : []));
  return { int64: named('int64'), vectors: named('vector') };
}

/** Undefined for a value that says nothing about its field: null, or an empty array. */
function kindOf(value: unknown): 'int64' | 'vector' | 'other' | undefined {
  if (typeof value === 'bigint') return 'int64';
  if (typeof value !== 'object') return 'other';
  if (value === null) return undefined;
  if (value instanceof Float32Array) return 'vector';
  if (!Array.isArray(value)) return 'other';
  if (value.length === 0) return undefined;
  return value.every((item) => typeof item === 'bigint') ? 'int64' : 'other';
}
