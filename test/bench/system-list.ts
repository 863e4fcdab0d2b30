import type { System } from './system.ts';
import { EDGEVEC } from './systems/edgevec.ts';
import { elanus, SETTINGS } from './systems/elanus.ts';
import { HNSWLIB_NODE, HNSWLIB_NODE_NATIVE } from './systems/hnswlib-node.ts';
import { HNSWLIB_WASM } from './systems/hnswlib-wasm.ts';
import { NATIVE } from './systems/native.ts';
import { PGLITE } from './systems/pglite.ts';
import { USEARCH } from './systems/usearch.ts';
import { VOY } from './systems/voy.ts';

/** All systems, in the order of the tables. */
export const SYSTEMS: readonly System[] = [
  NATIVE,
  ...SETTINGS.map(elanus),
  HNSWLIB_WASM,
  HNSWLIB_NODE_NATIVE,
  HNSWLIB_NODE,
  USEARCH,
  EDGEVEC,
  VOY,
  PGLITE,
];

/** The systems whose name holds one of these words, in any case. */
export function systemsNamed(systems: readonly System[], words: readonly string[]): readonly System[] {
  return systems.filter(({ name }) => words.some((word) => name.toLowerCase().includes(word.trim().toLowerCase())));
}
