import type { RowInput } from 'elanus/browser';

/** Nine digits bring every float32 back exactly. */
const FLOAT32_DIGITS = 9;

/** Rows as JSON lines, vectors as lists of numbers, which `import` reads back to the same rows. */
export function encodeJsonLines(rows: readonly RowInput[]): Uint8Array {
  return new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row, plainVectors)}\n`).join(''));
}

function plainVectors(_key: string, value: unknown): unknown {
  if (!(value instanceof Float32Array)) return value;
  return Array.from(value, (entry) => Number(entry.toPrecision(FLOAT32_DIGITS)));
}
