/*
 * What JavaScript's own objects take in memory, for counting against a budget. Measured in V8 without pointer
 * compression (Node, Workers), which is the larger of its two layouts; other engines are near enough. Typed arrays are
 * counted by their bytes.
 */

/** An entry of a `Map` or `Set`, with the spare room that a hash table keeps on average; keys and values come on top. */
export const TABLE_ENTRY_BYTES = 48;
/** A bigint of up to 64 bits. */
export const BIGINT_BYTES = 24;
/** A text beside its characters, or an array beside its elements, each with the slot that refers to it. */
const OBJECT_BYTES = 40;
const SLOT_BYTES = 8;
/** V8 keeps a text in one byte a character if every character has a code below 256, else in two. */
const TWO_BYTES = /[\u0100-\uffff]/;

/** About how many bytes a text takes, or the elements of an Array value, or a number in a slot. */
export function valueFootprint(value: unknown): number {
  if (typeof value === 'string') return OBJECT_BYTES + (TWO_BYTES.test(value) ? 2 : 1) * value.length;
  if (typeof value === 'bigint') return SLOT_BYTES + BIGINT_BYTES;
  if (!Array.isArray(value)) return SLOT_BYTES;
  return value.reduce((sum: number, item) => sum + valueFootprint(item), OBJECT_BYTES);
}
