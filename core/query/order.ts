import { compareUtf8 } from '../base/bytes.ts';
import type { CompareOperator } from './expression.ts';

/** A value that has an order, or at least equality: what JSON calls a number, a string or a boolean. */
export type Scalar = number | bigint | string | boolean;

/** What a comparison finds: a bit for less, equal and greater, so that `1 << (sign + 1)` says whether it holds. */
export const ACCEPTED: Readonly<Record<CompareOperator, number>> = {
  '<': 0b001,
  '==': 0b010,
  '>': 0b100,
  '<=': 0b011,
  '!=': 0b101,
  '>=': 0b110,
};

/** What is comparable with what; `undefined` for null, objects, lists and what is absent. */
export function scalarKind(value: unknown): 'number' | 'string' | 'boolean' | undefined {
  const kind = typeof value;
  if (kind === 'bigint') return 'number';
  return kind === 'number' || kind === 'string' || kind === 'boolean' ? kind : undefined;
}

/** −1, 0 or 1 for two scalars of one kind: texts by their UTF-8 bytes, numbers of both types exactly by value. */
export function signOf(a: Scalar, b: Scalar): number {
  if (typeof a === 'string') return a === b ? 0 : compareUtf8(a, String(b)) < 0 ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

const BEYOND_BMP = /[\ud800-\uffff]/;

/**
 * How texts are ordered against a constant. `<` compares UTF-16 units; it differs from the order of UTF-8 only where
 * both texts have a unit from U+D800 on, so a constant without one is compared by the host's own fast comparison.
 */
export function signAgainst(constant: string): (text: string) => number {
  if (BEYOND_BMP.test(constant)) return (text) => signOf(text, constant);
  return (text) => (text === constant ? 0 : text < constant ? -1 : 1);
}

/** A value for a `Set`: scalars that are equal are the same there, numbers of both types included. */
export function canonical(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) || BigInt(number) === value ? number : value;
}

/** Deep equality of JSON values and lists; numbers of any kind by value. An object equals nothing. */
export function equals(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => equals(item, b[at]));
  const kind = scalarKind(a);
  return kind !== undefined && kind === scalarKind(b) && signOf(a as Scalar, b as Scalar) === 0;
}
