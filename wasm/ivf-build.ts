import type { IndexSpec } from '../core/vector/segment-index.ts';
import type { IvfHeader, IvfType } from './ivf-exports.ts';
import { rowsWanted, sampleCountOf, Training, type TrainingState, trainingBytes } from './ivf-training.ts';
import type { KernelMemory } from './memory.ts';

/**
 * What makes lists of pending rows: at first training, then rounds. A round takes the rows that are pending when it
 * begins, assigns each to its nearest centroid, and then fills list after list, so that each is written once.
 */

/** Lists for each square root of the rows, where `nlist` does not say how many. */
const LISTS_A_ROOT = 4;
const LISTS_MAX = 65_536;
/** Dimensions of a part of IVF_PQ, where `m` does not say how many parts: the largest divisor up to this one. */
const PART_DIMENSION_MAX = 8;

/** Lists are made again when there are so many times the rows that they were made of. */
const OUTGROWN = 4;

/** Where a round is. */
export interface RoundState {
  /** Rows that it takes, from `pendingFirst` on. */
  readonly count: number;
  /** Those that have their list. */
  assigned: number;
}

interface Round {
  readonly state: RoundState;
  /** Room for lists by row, where each list begins in the order, and the order. */
  readonly block: number;
  readonly starts: number;
  readonly order: number;
}

/** The building of one index. */
export class IvfBuild {
  readonly #memory: KernelMemory;
  readonly #header: IvfHeader;
  readonly #spec: IndexSpec;
  readonly #keepsVectors: boolean;
  #training: Training | undefined;
  #round: Round | undefined;
  /** The block of mean, centroids, lists and codebooks. */
  #tables: number | undefined;
  #isTrained = false;

  constructor(memory: KernelMemory, header: IvfHeader, spec: IndexSpec) {
    this.#memory = memory;
    this.#header = header;
    this.#spec = spec;
    this.#keepsVectors = spec.exact === 'memory' && spec.type !== 'IVF_FLAT';
  }

  get training(): Training | undefined {
    return this.#training;
  }

  get round(): RoundState | undefined {
    return this.#round?.state;
  }

  get isTrained(): boolean {
    return this.#isTrained;
  }

  /** Rows that are in no list. */
  get pending(): number {
    const header = this.#header;
    const waiting = header.get('size') - header.get('pendingFirst');
    if (this.#round === undefined || header.get('filled') === 0) return waiting;
    return waiting - (this.#memory.words(this.#round.starts, header.get('filled') + 1)[header.get('filled')] as number);
  }

  /** Does work of about `rows` rows. Throws `quota` where a step has no room, with nothing half done. */
  build(rows: number): void {
    if (this.pending === 0 && this.#header.get('alive') === 0) return;
    const { exports } = this.#header;
    const bytes = exports.ivfWorkBytes(this.#spec.dimension);
    const work = this.#memory.tryAllocate(bytes);
    if (work === undefined) throw this.#memory.quota(bytes, 'a step of a build');
    try {
      for (let credit = rows; credit > 0 && this.pending > 0; ) credit -= this.#step(credit, work);
      // Rows that were removed from lists to which nothing comes wait for no one.
      if (this.pending === 0 && this.#isTrained) this.#compact(work);
    } finally {
      this.#memory.release(work);
    }
  }

  #step(credit: number, work: number): number {
    if (!this.#isTrained) return this.#train(credit, work);
    if (this.#round === undefined) {
      if (this.#startAgain()) return 1;
      this.openRound({ count: this.pending, assigned: 0 });
    }
    const round = this.#round as Round;
    if (round.state.assigned < round.state.count) return this.#assign(round, credit, work);
    return this.#fill(round, credit, work);
  }

  #train(credit: number, work: number): number {
    if (this.#training === undefined) this.#beginTraining();
    const training = this.#training as Training;
    const cost = training.step(credit, work);
    if (training.isDone) {
      training.free();
      this.#training = undefined;
      this.#isTrained = true;
    }
    return cost;
  }

  /** The lists that are made of all rows, and the rows of their sample. */
  #plan(): { listCount: number; sampleCount: number } {
    const { dimension, nlist } = this.#spec;
    const rows = this.#header.get('size');
    const wanted = nlist ?? Math.min(LISTS_MAX, Math.ceil(LISTS_A_ROOT * Math.sqrt(rows)));
    const listCount = Math.min(wanted, rows);
    const rowBytes = this.#header.exports.ivfCentroidBytes(dimension);
    return { listCount, sampleCount: sampleCountOf(rows, listCount, rowBytes) };
  }

  /**
   * Where centroids were made of far fewer rows than there are now, they are made again: all rows become pending. Not
   * where exact vectors are gone, or where there is no room. Says whether it is so.
   */
  #startAgain(): boolean {
    const header = this.#header;
    const listed = header.get('pendingFirst');
    const hasVectors = this.#keepsVectors || this.#spec.type === 'IVF_FLAT';
    if (!hasVectors || listed === 0 || header.get('size') < OUTGROWN * listed) return false;
    const { listCount, sampleCount } = this.#plan();
    if (listCount === header.get('listCount') && listed >= rowsWanted(listCount)) return false;
    const { dimension } = this.#spec;
    const tables = this.#tableSizes(listCount).reduce((sum, size) => sum + size, 0);
    const bytes = tables + trainingBytes(header, listCount, sampleCount) + header.exports.ivfWorkBytes(dimension);
    const probe = this.#memory.tryAllocate(bytes);
    if (probe === undefined) return false;
    this.#memory.release(probe);
    if (header.exports.ivfUnlist(header.address) === 0) return false;
    this.#releaseTables();
    this.#isTrained = false;
    return true;
  }

  #beginTraining(): void {
    const { listCount, sampleCount } = this.#plan();
    this.allocateTables(listCount);
    try {
      this.openTraining({ phase: 0, position: 0, iteration: 0, sampleCount });
      this.#training?.draw(this.#header.get('size'), this.#spec.seed);
    } catch (error) {
      this.#releaseTables();
      throw error;
    }
  }

  /** Room for what is trained, and empty lists. Throws `quota`. */
  allocateTables(listCount: number): void {
    const header = this.#header;
    header.set('parts', partsOf(this.#spec));
    header.set('partDimension', partDimensionOf(this.#spec));
    const sizes = this.#tableSizes(listCount);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const block = this.#memory.tryAllocate(bytes);
    if (block === undefined) throw this.#memory.quota(bytes, `the centroids of ${listCount} lists`);
    this.#memory.bytes.fill(0, block, block + bytes);
    this.#tables = block;
    const [mean, centroids, lists] = sizes as [number, number, number, number];
    header.set('mean', block);
    header.set('centroids', block + mean);
    header.set('lists', block + mean + centroids);
    header.set('codebooks', block + mean + centroids + lists);
    header.set('listCount', listCount);
  }

  /** Bytes of the mean, the centroids, the lists' places and the codebooks. */
  #tableSizes(listCount: number): number[] {
    const { exports, address } = this.#header;
    const { dimension } = this.#spec;
    const parts = this.#header.get('parts');
    return [
      4 * Math.ceil(dimension / 128) * 128,
      // Kernels read up to 16 bytes behind the last code.
      listCount * exports.ivfCentroidBytes(dimension) + 16,
      8 * listCount,
      parts === 0 ? 0 : parts * exports.ivfBookBytes(address),
    ].map((size) => Math.ceil(size / 16) * 16);
  }

  #releaseTables(): void {
    if (this.#tables !== undefined) this.#memory.release(this.#tables);
    this.#tables = undefined;
    this.#header.set('lists', 0);
    this.#header.set('listCount', 0);
  }

  /** Begins a training, or goes on with one whose parts are filled in next. Throws `quota`. */
  openTraining(state: TrainingState): TrainingState {
    this.#training = new Training(this.#memory, this.#header, state);
    return state;
  }

  /** Says that the tables hold what was trained before. */
  markTrained(): void {
    this.#isTrained = true;
  }

  /** Begins a round, or goes on with one. Throws `quota`. Gives the address of the lists by row. */
  openRound(state: RoundState): number {
    const header = this.#header;
    const assignedBytes = Math.ceil(state.count / 4) * 16;
    const startsBytes = Math.ceil((header.get('listCount') + 1) / 4) * 16;
    const bytes = 2 * assignedBytes + startsBytes;
    const block = this.#memory.tryAllocate(bytes);
    if (block === undefined) throw this.#memory.quota(bytes, `a build of ${state.count} rows`);
    this.#round = { state, block, starts: block + assignedBytes, order: block + assignedBytes + startsBytes };
    header.set('assigned', block);
    header.set('roundCount', state.count);
    return block;
  }

  /** Sorts the rows of a round whose rows all have their list. */
  sortRound(): void {
    const { state, starts, order } = this.#round as Round;
    this.#header.exports.ivfSort(this.#header.address, state.count, starts, order);
  }

  #assign(round: Round, credit: number, work: number): number {
    const { exports, address } = this.#header;
    const { state } = round;
    const first = this.#header.get('pendingFirst');
    const to = Math.min(state.count, state.assigned + credit);
    exports.ivfAssign(address, first + state.assigned, first + to, round.block + 4 * state.assigned, work);
    const cost = to - state.assigned;
    state.assigned = to;
    if (to === state.count) this.sortRound();
    return cost;
  }

  /** Fills the next list; after the last one the round's rows are no longer pending. */
  #fill(round: Round, credit: number, work: number): number {
    const header = this.#header;
    const { exports, address } = header;
    let cost = 0;
    let list = header.get('filled');
    const listCount = header.get('listCount');
    while (list < listCount && cost < credit) {
      const [start, end] = this.#memory.words(round.starts + 4 * list, 2) as unknown as [number, number];
      const order = round.order + 4 * start;
      if (exports.ivfFill(address, list, order, end - start, work) === 0) {
        throw this.#memory.quota(exports.ivfListBytes(address, end - start), `${end - start} more rows of a list`);
      }
      // As many rows as there are: each is encoded, which costs about as much as it did to assign it.
      cost += Math.max(1, end - start);
      list += 1;
      header.set('filled', list);
    }
    if (list === listCount) this.#endRound(round);
    return cost;
  }

  #endRound(round: Round): void {
    const header = this.#header;
    header.set('pendingFirst', header.get('pendingFirst') + round.state.count);
    for (const field of ['roundCount', 'assigned', 'filled'] as const) header.set(field, 0);
    this.#memory.release(round.block);
    this.#round = undefined;
    // Where there is no room to move what is left, it stays where it is until the next round.
    if (!this.#keepsVectors) header.exports.ivfTrim(header.address, header.get('pendingFirst'));
  }

  #compact(work: number): void {
    const { exports, address } = this.#header;
    for (let list = 0; list < this.#header.get('listCount'); list++) exports.ivfFill(address, list, 0, 0, work);
  }

  free(): void {
    this.#training?.free();
    this.#training = undefined;
    if (this.#round !== undefined) this.#memory.release(this.#round.block);
    this.#round = undefined;
    this.#releaseTables();
  }
}

/** Parts that codes have; 0 for types without codebooks. */
export function partsOf(spec: IndexSpec): number {
  const type = spec.type as IvfType;
  if (type === 'SCANN') return Math.ceil(spec.dimension / 2);
  return type === 'IVF_PQ' ? spec.dimension / partDimensionOf(spec) : 0;
}

function partDimensionOf({ type, dimension, m }: IndexSpec): number {
  if (type === 'SCANN') return 2;
  if (type !== 'IVF_PQ') return 0;
  if (m !== undefined) return dimension / m;
  let largest = Math.min(PART_DIMENSION_MAX, dimension);
  while (dimension % largest !== 0) largest -= 1;
  return largest;
}
