import { ElanusError } from '../core/base/error.ts';
import type { IndexSection, IndexSpec, SavedIndex } from '../core/vector/segment-index.ts';
import type { IvfAlive } from './ivf-alive.ts';
import type { IvfBuild } from './ivf-build.ts';
import type { IvfHeader } from './ivf-exports.ts';
import type { TrainingState } from './ivf-training.ts';
import type { KernelMemory } from './memory.ts';

/**
 * The saved form, little-endian, each section as it lies in the kernel's memory:
 *
 *     exact       vectors (f32) of the rows that are in lists, where an index keeps them beside its codes
 *     pending     vectors of the other rows
 *     alive       a bitmap of the rows that were not removed, if any was
 *     mean, centroids, codebooks, counts (u32: the rows of each list), lists (one behind the other), once they exist
 *     assigned    the list (u32) of each row of a round that goes on, as far as it is
 *     sample, sample-codes, sample-lists, sums, sum-counts     of a training that goes on
 */

/** What an index is made of. */
export interface IvfParts {
  readonly spec: IndexSpec;
  readonly header: IvfHeader;
  readonly alive: IvfAlive;
  readonly build: IvfBuild;
}

/** The index as it is now: what loads it goes on as this one does. */
export function saveIvf(memory: KernelMemory, { spec, header, alive, build }: IvfParts): SavedIndex {
  const { training, round } = build;
  const size = header.get('size');
  const first = header.get('pendingFirst');
  const keepsExact = spec.exact === 'memory' && spec.type !== 'IVF_FLAT';
  const sections: IndexSection[] = [];
  if (keepsExact && first > 0) sections.push(vectors(memory, header, { name: 'exact', from: 0, to: first }));
  if (size > first) sections.push(vectors(memory, header, { name: 'pending', from: first, to: size }));
  if (alive.removed > 0) {
    sections.push(piece('alive', Math.ceil(size / 8), () => alive.bits(size)));
  }
  for (const { name, address, byteLength } of tableSections(header)) {
    sections.push(piece(name, byteLength, () => memory.bytes.subarray(address, address + byteLength)));
  }
  if (header.get('listCount') > 0) sections.push(counts(header), lists(memory, header));
  if (round !== undefined) {
    const byteLength = 4 * round.assigned;
    const address = header.get('assigned');
    sections.push(piece('assigned', byteLength, () => memory.bytes.subarray(address, address + byteLength)));
  }
  for (const { name, address, byteLength } of trainingSections(build)) {
    sections.push(piece(name, byteLength, () => memory.bytes.subarray(address, address + byteLength)));
  }
  const state: Record<string, number | readonly number[]> = {
    rows: size,
    pendingFirst: first,
    lists: header.get('listCount'),
    filled: header.get('filled'),
  };
  if (round !== undefined) state['round'] = [round.count, round.assigned];
  if (training !== undefined) {
    const { phase, position, iteration, sampleCount } = training.state;
    state['training'] = [phase, position, iteration, sampleCount];
  }
  return { spec, state, sections };
}

/** Fills a fresh index. Throws `quota`, or `corrupt` where parts and counts disagree; the caller frees it then. */
export function loadIvf(memory: KernelMemory, parts: IvfParts, saved: SavedIndex): void {
  const { header, alive, build, spec } = parts;
  const { rows, pendingFirst, lists: listCount, filled, round, training } = saved.state;
  const numbers = [rows, pendingFirst, listCount, filled];
  if (!numbers.every((value) => Number.isInteger(value) && (value as number) >= 0)) throw corrupt('its counts');
  const sections = new Map(saved.sections.map((section) => [section.name, section]));
  const keepsExact = spec.exact === 'memory' && spec.type !== 'IVF_FLAT';
  const from = keepsExact ? 0 : (pendingFirst as number);
  header.set('rowsFirst', from);
  header.set('size', from);
  header.set('pendingFirst', pendingFirst as number);
  if (keepsExact) loadVectors(memory, header, sections.get('exact'), pendingFirst as number);
  loadVectors(memory, header, sections.get('pending'), rows as number);
  const bits = sections.get('alive');
  if (bits !== undefined) {
    if (bits.byteLength !== Math.ceil((rows as number) / 8)) throw corrupt('the section alive');
    alive.load(bytesOf(bits));
  }
  if ((filled as number) > (listCount as number)) throw corrupt('its counts');
  if ((listCount as number) === 0) {
    if ((pendingFirst as number) > 0) throw corrupt('its counts');
    return;
  }
  build.allocateTables(listCount as number);
  for (const table of tableSections(header)) copySection(memory, sections, table);
  loadLists(memory, header, sections);
  if (training !== undefined) {
    const [phase, position, iteration, sampleCount] = training as readonly number[];
    build.openTraining({ phase, position, iteration, sampleCount } as TrainingState);
    for (const part of trainingSections(build)) copySection(memory, sections, part);
    return;
  }
  build.markTrained();
  if (round === undefined) return;
  const [count, assigned] = round as unknown as [number, number];
  if (!(count <= (rows as number) - (pendingFirst as number) && assigned <= count)) throw corrupt('its counts');
  const address = build.openRound({ count, assigned });
  copySection(memory, sections, { name: 'assigned', address, byteLength: 4 * assigned });
  checkBelow(memory.words(address, assigned), listCount as number, 'the section assigned');
  header.set('filled', filled as number);
  if (assigned === count) build.sortRound();
}

interface Place {
  readonly name: string;
  readonly address: number;
  readonly byteLength: number;
}

function tableSections(header: IvfHeader): Place[] {
  const listCount = header.get('listCount');
  if (listCount === 0) return [];
  const { exports, address } = header;
  const dimension = header.get('dimension');
  const parts = header.get('parts');
  const tables: Place[] = [
    { name: 'mean', address: header.get('mean'), byteLength: 4 * dimension },
    {
      name: 'centroids',
      address: header.get('centroids'),
      byteLength: listCount * exports.ivfCentroidBytes(dimension),
    },
  ];
  if (parts > 0) {
    const byteLength = parts * exports.ivfBookBytes(address);
    tables.push({ name: 'codebooks', address: header.get('codebooks'), byteLength });
  }
  return tables;
}

function trainingSections({ training }: IvfBuild): Place[] {
  if (training === undefined) return [];
  const { sample, codes, assigned, sums, counts, book } = training.room;
  return [
    { name: 'sample', address: sample, byteLength: codes - sample },
    { name: 'sample-codes', address: codes, byteLength: assigned - codes },
    { name: 'sample-lists', address: assigned, byteLength: sums - assigned },
    { name: 'sums', address: sums, byteLength: counts - sums },
    { name: 'sum-counts', address: counts, byteLength: book - counts },
  ];
}

function piece(name: string, byteLength: number, view: () => Uint8Array): IndexSection {
  return { name, byteLength, copyTo: (target) => target.set(view()) };
}

function vectors(
  memory: KernelMemory,
  header: IvfHeader,
  { name, from, to }: { name: string; from: number; to: number },
): IndexSection {
  const rowBytes = 4 * header.get('dimension');
  return {
    name,
    byteLength: (to - from) * rowBytes,
    copyTo: (target) => {
      for (const { address, at, count } of runs(header, from, to)) {
        target.set(memory.bytes.subarray(address, address + count * rowBytes), at * rowBytes);
      }
    },
  };
}

/** Stored rows in pieces that lie without gaps; `at` counts from `from`. */
function* runs(header: IvfHeader, from: number, to: number): Generator<{ address: number; at: number; count: number }> {
  const { exports, address } = header;
  const chunk = 2 ** exports.ivfRowShift(address);
  for (let row = from; row < to; ) {
    const count = Math.min(to - row, chunk - ((row - header.get('rowsFirst')) % chunk));
    yield { address: exports.ivfRowAddress(address, row) >>> 0, at: row - from, count };
    row += count;
  }
}

/** Appends saved vectors up to row `to`. */
function loadVectors(memory: KernelMemory, header: IvfHeader, section: IndexSection | undefined, to: number): void {
  const rowBytes = 4 * header.get('dimension');
  const from = header.get('size');
  const byteLength = (to - from) * rowBytes;
  if ((section?.byteLength ?? 0) !== byteLength) throw corrupt('the vectors');
  if (section === undefined) return;
  if (header.exports.ivfReserve(header.address, to - from) === 0) throw memory.quota(byteLength, 'a saved index');
  const bytes = bytesOf(section);
  for (const { address, at, count } of runs(header, from, to)) {
    memory.bytes.set(bytes.subarray(at * rowBytes, (at + count) * rowBytes), address);
  }
  header.set('size', to);
}

function counts(header: IvfHeader): IndexSection {
  const byteLength = 4 * header.get('listCount');
  return {
    name: 'counts',
    byteLength,
    copyTo: (target) => {
      const view = new DataView(target.buffer, target.byteOffset, byteLength);
      header.lists().forEach((value, index) => {
        if (index % 2 === 1) view.setUint32(4 * (index >> 1), value, true);
      });
    },
  };
}

function lists(memory: KernelMemory, header: IvfHeader): IndexSection {
  const table = header.lists();
  let byteLength = 0;
  for (let index = 1; index < table.length; index += 2) {
    byteLength += header.exports.ivfListBytes(header.address, table[index] as number);
  }
  return {
    name: 'lists',
    byteLength,
    copyTo: (target) => {
      let at = 0;
      const now = header.lists();
      for (let index = 0; index < now.length; index += 2) {
        const address = now[index] as number;
        const bytes = header.exports.ivfListBytes(header.address, now[index + 1] as number);
        target.set(memory.bytes.subarray(address, address + bytes), at);
        at += bytes;
      }
    },
  };
}

function loadLists(memory: KernelMemory, header: IvfHeader, sections: ReadonlyMap<string, IndexSection>): void {
  const listCount = header.get('listCount');
  const sizes = sections.get('counts');
  const contents = sections.get('lists');
  if (sizes?.byteLength !== 4 * listCount || contents === undefined) throw corrupt('the lists');
  const bytes = bytesOf(sizes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const saved = bytesOf(contents);
  let at = 0;
  for (let list = 0; list < listCount; list++) {
    const count = view.getUint32(4 * list, true);
    const length = header.exports.ivfListBytes(header.address, count) >>> 0;
    if (length > saved.byteLength - at) throw corrupt('the lists');
    if (count === 0) continue;
    const block = memory.tryAllocate(length);
    if (block === undefined) throw memory.quota(length, 'a saved index');
    memory.bytes.set(saved.subarray(at, at + length), block);
    memory.words(header.get('lists') + 8 * list, 2).set([block, count]);
    // Row numbers end a list, and lead to exact vectors.
    checkBelow(memory.words(block + length - 4 * count, count), header.get('size'), 'the lists');
    at += length;
  }
  if (at !== saved.byteLength) throw corrupt('the lists');
}

function copySection(memory: KernelMemory, sections: ReadonlyMap<string, IndexSection>, place: Place): void {
  const section = sections.get(place.name);
  if (section?.byteLength !== place.byteLength) throw corrupt(`the section ${place.name}`);
  memory.bytes.set(bytesOf(section), place.address);
}

/** What leads somewhere must not lead outside. */
function checkBelow(words: Uint32Array, bound: number, what: string): void {
  for (const word of words) if (word >= bound) throw corrupt(what);
}

function bytesOf(section: IndexSection): Uint8Array {
  if (section.bytes !== undefined) return section.bytes;
  const bytes = new Uint8Array(section.byteLength);
  section.copyTo(bytes);
  return bytes;
}

function corrupt(what: string): ElanusError {
  return new ElanusError('corrupt', `A saved index does not fit its own description: ${what}. Build it again.`);
}
