import { ElanusError } from '../core/base/error.ts';
import type { IndexSection, IndexSpec, SavedIndex } from '../core/vector/segment-index.ts';
import { hnswExports } from './hnsw-exports.ts';
import type { KernelMemory } from './memory.ts';

/**
 * An HNSW index in parts: tables of rows, copied chunk by chunk as they lie in memory.
 *
 *     exact      float32 vectors of the rows from `exactFrom` on (of length 1 for COSINE)
 *     codes      the codes of the first `encoded` rows; draft: those that a building that goes on needs
 *     links      level 0, a count and links of `width` bytes; level.<n>: the slots of level n
 *     centre     float32, what codes are relative to; removed: a bitmap
 */

/** Numbers of the state, as the module keeps them. */
const STATE_WORDS = 26;
const FIRST_SIZE = 10;
const LEVELS_MAX = 16;
const WORDS_OF_ROWS = 6;

/** Tables by their numbers in the module; level n is 3 + n. */
const EXACT = 0;
const CODES = 1;
const DRAFT = 2;
const LINKS = 3;

interface HnswState {
  readonly size: number;
  readonly encoded: number;
  readonly exactFrom: number;
  readonly centred: number;
  readonly draft: number;
  /** Bytes a link on level 0: 2 or 4. */
  readonly width: number;
  /** Levels that have nodes: 0 for none. */
  readonly levels: number;
  /** The node where searches begin: a slot of the highest level, or a row if that is level 0. */
  readonly entry: number;
  readonly removed: number;
  /** Slots of the levels from 1 on. */
  readonly slots: readonly number[];
}

/** Rows in chunks, as `Rows` of the module. */
interface Table {
  readonly stride: number;
  readonly chunkRows: number;
  readonly chunks: readonly number[];
}

export function saveHnsw(memory: KernelMemory, index: number, spec: IndexSpec): SavedIndex {
  const state = readState(memory, index);
  const sections: IndexSection[] = [];
  for (const { name, which, rows } of tablesOf(state)) {
    const address = hnswExports(memory).hnswTable(index, which) >>> 0;
    if (address === 0 || rows === 0) continue;
    const { stride } = tableAt(memory, address);
    sections.push({ name, byteLength: rows * stride, copyTo: (target) => copyOut(memory, address, rows, target) });
  }
  const { centre, removed } = partsOf(memory, index, state, spec);
  if (state.centred === 1) sections.push(sectionAt(memory, 'centre', centre.address, centre.bytes));
  if (state.removed > 0) sections.push(sectionAt(memory, 'removed', removed.address, removed.bytes));
  const { slots, ...numbers } = state;
  return { spec, state: { ...numbers, slots }, sections };
}

/** As if exact vectors had not been kept: every row has its code. */
export function withoutExact({ spec, state, sections }: SavedIndex): SavedIndex {
  return {
    spec: { ...spec, exact: 'none' },
    state: { ...state, exactFrom: state['size'] as number },
    sections: sections.filter(({ name }) => name !== 'exact'),
  };
}

/**
 * Fills a new index. A graph of exact vectors that comes without codes, as one that was built elsewhere does, gets them
 * here if the index has any. Throws `quota`, or `corrupt` if sections are missing, of another length, or link to nowhere.
 */
export function restoreHnsw(
  memory: KernelMemory,
  index: number,
  saved: SavedIndex,
): { size: number; pending: number; removed: number } {
  const exports = hnswExports(memory);
  const state = checkedState(saved.state);
  writeState(memory, index, state);
  const sections = new Map(saved.sections.map((section) => [section.name, section]));
  const hasNoCodes = state.centred === 0 && state.exactFrom === 0 && !sections.has('codes');
  for (const { name, which, rows } of tablesOf(state)) {
    const address = exports.hnswTable(index, which) >>> 0;
    if (address === 0 || rows === 0 || (name === 'codes' && hasNoCodes)) continue;
    const { stride } = tableAt(memory, address);
    copyIn(memory, address, rows, bytesOf(sections.get(name), name, rows * stride));
  }
  const { centre, removed } = partsOf(memory, index, state, saved.spec);
  if (state.centred === 1) memory.bytes.set(bytesOf(sections.get('centre'), 'centre', centre.bytes), centre.address);
  if (state.removed > 0) memory.bytes.set(bytesOf(sections.get('removed'), 'removed', removed.bytes), removed.address);
  if (!exports.hnswIsSound(index)) throw corrupt('its graph links to nodes that are not there');
  if (hasNoCodes && exports.hnswTable(index, CODES) !== 0) exports.hnswEncode(index);
  return { size: state.size, pending: state.size - state.encoded, removed: state.removed };
}

function tablesOf(state: HnswState): { name: string; which: number; rows: number }[] {
  return [
    { name: 'exact', which: EXACT, rows: state.size - state.exactFrom },
    { name: 'codes', which: CODES, rows: state.encoded },
    { name: 'draft', which: DRAFT, rows: state.encoded },
    { name: 'links', which: LINKS, rows: state.encoded },
    ...state.slots.map((rows, at) => ({ name: `level.${at + 1}`, which: LINKS + at + 1, rows })),
  ];
}

function partsOf(memory: KernelMemory, index: number, state: HnswState, spec: IndexSpec) {
  const { hnswPart } = hnswExports(memory);
  return {
    centre: { address: hnswPart(index, 0) >>> 0, bytes: spec.dimension * 4 },
    removed: { address: hnswPart(index, 1) >>> 0, bytes: Math.ceil(state.size / 8) },
  };
}

function readState(memory: KernelMemory, index: number): HnswState {
  const block = memory.tryAllocate(STATE_WORDS * 4);
  if (block === undefined) throw memory.quota(STATE_WORDS * 4, 'saving an index');
  hnswExports(memory).hnswReadState(index, block);
  const words = [...memory.words(block, STATE_WORDS)];
  memory.release(block);
  const [size, encoded, exactFrom, centred, draft, width, levels, entry, removed] = words as [
    ...[number, number, number, number, number, number, number, number, number],
  ];
  const slots = words.slice(FIRST_SIZE);
  while (slots.at(-1) === 0) slots.pop();
  return { size, encoded, exactFrom, centred, draft, width, levels, entry, removed, slots };
}

/** Throws `quota` if there is no room for tables as large as the state says. */
function writeState(memory: KernelMemory, index: number, state: HnswState): void {
  const words = new Uint32Array(STATE_WORDS);
  words.set([state.size, state.encoded, state.exactFrom, state.centred, state.draft, state.width, state.levels]);
  words.set([state.entry, state.removed], 7);
  words.set(state.slots, FIRST_SIZE);
  const block = memory.tryAllocate(words.byteLength);
  if (block === undefined) throw memory.quota(words.byteLength, 'loading an index');
  memory.words(block, STATE_WORDS).set(words);
  const hasRoom = hnswExports(memory).hnswRestore(index, block);
  memory.release(block);
  if (!hasRoom) throw memory.quota(state.encoded, `an index of ${state.size} vectors`);
}

function checkedState(saved: SavedIndex['state']): HnswState {
  const state = saved as unknown as HnswState;
  const numbers = [state.size, state.encoded, state.exactFrom, state.levels, state.entry, state.removed];
  const isWhole = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
  const isRight =
    numbers.every(isWhole) &&
    [0, 1].includes(state.centred) &&
    [0, 1].includes(state.draft) &&
    [2, 4].includes(state.width) &&
    Array.isArray(state.slots) &&
    state.slots.length <= LEVELS_MAX &&
    state.slots.every((slots) => isWhole(slots) && slots <= state.encoded) &&
    state.encoded <= state.size &&
    state.exactFrom <= state.encoded &&
    (state.width === 4 || state.encoded <= 65_536) &&
    state.removed <= state.size;
  if (!isRight) throw corrupt('its counts disagree');
  return state;
}

function tableAt(memory: KernelMemory, address: number): Table {
  const [stride, shift, , chunks, chunkCount] = memory.words(address, WORDS_OF_ROWS) as unknown as number[];
  return {
    stride: stride as number,
    chunkRows: 2 ** (shift as number),
    chunks: chunkCount === 0 ? [] : [...memory.words(chunks as number, chunkCount as number)],
  };
}

function copyOut(memory: KernelMemory, address: number, rows: number, target: Uint8Array): void {
  forEachChunk(tableAt(memory, address), rows, (chunk, from, bytes) => {
    target.set(memory.bytes.subarray(chunk, chunk + bytes), from);
  });
}

function copyIn(memory: KernelMemory, address: number, rows: number, source: Uint8Array): void {
  forEachChunk(tableAt(memory, address), rows, (chunk, from, bytes) => {
    memory.bytes.set(source.subarray(from, from + bytes), chunk);
  });
}

function forEachChunk(table: Table, rows: number, visit: (chunk: number, from: number, bytes: number) => void): void {
  for (const [at, chunk] of table.chunks.entries()) {
    const first = at * table.chunkRows;
    const count = Math.min(table.chunkRows, rows - first);
    if (count <= 0) break;
    visit(chunk, first * table.stride, count * table.stride);
  }
}

function sectionAt(memory: KernelMemory, name: string, address: number, byteLength: number): IndexSection {
  return { name, byteLength, copyTo: (target) => target.set(memory.bytes.subarray(address, address + byteLength)) };
}

function bytesOf(section: IndexSection | undefined, name: string, length: number): Uint8Array {
  if (section === undefined) throw corrupt(`its section ${name} is missing`);
  if (section.byteLength !== length)
    throw corrupt(`its section ${name} has ${section.byteLength} bytes, not ${length}`);
  if (section.bytes !== undefined) return section.bytes;
  const bytes = new Uint8Array(length);
  section.copyTo(bytes);
  return bytes;
}

function corrupt(what: string): ElanusError {
  return new ElanusError('corrupt', `The saved index cannot be used: ${what}. Save it again from its source.`);
}
