import type { IvfHeader } from './ivf-exports.ts';
import type { KernelMemory } from './memory.ts';

/**
 * Training: k-means for the centroids, then for each part's codebook, over a sample that is encoded once, with 8 bits a
 * dimension. It goes on in steps of bounded work, and its result does not depend on how it was cut.
 */

/** Rows of the sample for each list: Faiss asks for 39 at least. */
const ROWS_A_LIST = 40;
/** A sample of more bytes than this takes fewer rows a list, but never less than `ROWS_A_LIST_MIN`. */
const SAMPLE_BYTES_MAX = 32 * 1024 * 1024;
const ROWS_A_LIST_MIN = 8;
const LIST_ITERATIONS = 8;
/** The first iterations take a quarter of the sample: they only find out where centroids belong (half the time). */
const ROUGH_ITERATIONS = 5;
const ROUGH_SHARE = 4;
/** Rows that the mean is taken of, in one step: of large vectors fewer. */
const MEAN_ROWS_MAX = 4096;
const MEAN_VALUES_MAX = 4_194_304;
/** Rows for each codeword of a book, and the fewest for a book. */
const ROWS_A_WORD = 32;
const BOOK_ROWS_MIN = 2048;
const BOOK_ITERATIONS = 6;

/** How far training is: what it is doing, and what it does next. Plain numbers, which are saved. */
export interface TrainingState {
  /** 0: the sample is encoded. 1: the centroids move. 2: the codebooks are made. */
  phase: number;
  /** Rows of the sample that this iteration has done, or the part whose codebook is made. */
  position: number;
  iteration: number;
  readonly sampleCount: number;
}

/** Where the parts of one training lie, all in one block. */
export interface TrainingRoom {
  readonly block: number;
  /** Row numbers. */
  readonly sample: number;
  readonly codes: number;
  readonly assigned: number;
  readonly sums: number;
  readonly counts: number;
  /** The room of the step that trains a codebook. */
  readonly book: number;
  readonly bytes: number;
}

/** Rows that train `listCount` lists well. */
export function rowsWanted(listCount: number): number {
  return ROWS_A_LIST * listCount;
}

/** Rows of the sample that trains `listCount` lists. */
export function sampleCountOf(rows: number, listCount: number, rowBytes: number): number {
  const fitting = Math.max(ROWS_A_LIST_MIN * listCount, Math.floor(SAMPLE_BYTES_MAX / rowBytes));
  return Math.min(rows, rowsWanted(listCount), fitting);
}

/** The training of one index: it ends when `step` says that nothing is left. */
export class Training {
  readonly state: TrainingState;
  readonly room: TrainingRoom;
  readonly #memory: KernelMemory;
  readonly #header: IvfHeader;

  /** Takes its room; throws `quota` if there is none. `state` is that of a training that goes on, or of a fresh one. */
  constructor(memory: KernelMemory, header: IvfHeader, state: TrainingState) {
    this.#memory = memory;
    this.#header = header;
    this.state = state;
    this.room = allocateRoom(memory, header, state.sampleCount);
  }

  /** Chooses the sample: rows in steps of a golden section of all, so that any part of it is spread over them evenly. */
  draw(rows: number, seed: number): void {
    let step = Math.max(1, Math.round(rows * 0.6180339887498949));
    while (greatestDivisor(step, rows) !== 1) step += 1;
    const sample = this.#memory.words(this.room.sample, this.state.sampleCount);
    let row = seed % rows;
    for (let index = 0; index < sample.length; index++) {
      sample[index] = row;
      row = (row + step) % rows;
    }
  }

  /** Does work of about `credit` rows, at least some. `work` is a room of `ivfWorkBytes`. Gives what it cost. */
  step(credit: number, work: number): number {
    switch (this.state.phase) {
      case 0:
        return this.#encode(credit, work);
      case 1:
        return this.#move(credit, work);
      default:
        return this.#makeBook();
    }
  }

  /** Whether there is nothing left to do. */
  get isDone(): boolean {
    return this.state.phase === 3;
  }

  free(): void {
    this.#memory.release(this.room.block);
  }

  #encode(credit: number, work: number): number {
    const { state, room } = this;
    const { exports, address } = this.#header;
    const rowsMax = Math.ceil(MEAN_VALUES_MAX / this.#header.get('dimension'));
    if (state.position === 0) {
      exports.ivfMean(address, room.sample, Math.min(state.sampleCount, MEAN_ROWS_MAX, rowsMax), work);
    }
    const to = Math.min(state.sampleCount, state.position + credit);
    exports.ivfEncodeSample(address, room.sample, state.position, to, room.codes, work);
    const cost = to - state.position;
    state.position = to;
    if (to === state.sampleCount) {
      const bytes = this.#header.get('listCount') * exports.ivfCentroidBytes(this.#header.get('dimension'));
      this.#memory.bytes.copyWithin(this.#header.get('centroids'), room.codes, room.codes + bytes);
      this.#clearSums();
      Object.assign(state, { phase: 1, position: 0, iteration: 0 });
    }
    return cost;
  }

  #move(credit: number, work: number): number {
    const { state, room } = this;
    const { exports, address } = this.#header;
    const { codes, assigned, sums, counts } = room;
    const isRough = state.iteration < ROUGH_ITERATIONS;
    const rows = isRough ? Math.ceil(state.sampleCount / ROUGH_SHARE) : state.sampleCount;
    const to = Math.min(rows, state.position + credit);
    exports.ivfAssignSample(address, codes, state.position, to, assigned, sums, counts, work);
    const cost = to - state.position;
    state.position = to;
    if (to < rows) return cost;
    exports.ivfMoveCentroids(address, codes, rows, assigned, sums, counts, state.iteration, work);
    this.#clearSums();
    state.position = 0;
    state.iteration += 1;
    if (state.iteration === LIST_ITERATIONS) {
      const phase = this.#header.get('parts') === 0 ? 3 : 2;
      Object.assign(state, { phase, position: 0, iteration: 0 });
    }
    return cost;
  }

  /** One iteration over one part. It costs as much as rows whose products with all centroids are as many values. */
  #makeBook(): number {
    const { state, room } = this;
    const header = this.#header;
    const { exports, address } = header;
    const words = exports.ivfBookBytes(address) / (4 * header.get('partDimension'));
    const rows = Math.min(state.sampleCount, Math.max(BOOK_ROWS_MIN, ROWS_A_WORD * words));
    exports.ivfTrainPart(address, state.position, state.iteration, room.codes, room.assigned, rows, room.book);
    const values = rows * words * header.get('partDimension');
    state.iteration += 1;
    if (state.iteration === BOOK_ITERATIONS) {
      state.iteration = 0;
      state.position += 1;
      if (state.position === header.get('parts')) state.phase = 3;
    }
    return Math.max(1, Math.ceil((4 * values) / (header.get('listCount') * header.get('dimension'))));
  }

  #clearSums(): void {
    this.#memory.bytes.fill(0, this.room.sums, this.room.book);
  }
}

/** Bytes of each part of a training's room. */
function roomSizes(header: IvfHeader, listCount: number, sampleCount: number): number[] {
  const { exports, address } = header;
  const dimension = header.get('dimension');
  return [
    4 * sampleCount,
    sampleCount * exports.ivfCentroidBytes(dimension),
    4 * sampleCount,
    listCount * Math.ceil(dimension / 4) * 16,
    4 * listCount,
    header.get('parts') === 0 ? 0 : exports.ivfTrainBytes(address),
  ].map((bytes) => Math.ceil(bytes / 16) * 16);
}

/** Bytes that a training takes. */
export function trainingBytes(header: IvfHeader, listCount: number, sampleCount: number): number {
  return roomSizes(header, listCount, sampleCount).reduce((sum, size) => sum + size, 0);
}

function allocateRoom(memory: KernelMemory, header: IvfHeader, sampleCount: number): TrainingRoom {
  const listCount = header.get('listCount');
  const sizes = roomSizes(header, listCount, sampleCount);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const block = memory.tryAllocate(bytes);
  if (block === undefined) throw memory.quota(bytes, `the training of ${listCount} lists`);
  // Saved as it is, at any time: what is not written yet is zero.
  memory.bytes.fill(0, block, block + bytes);
  let at = block;
  const [sample, codes, assigned, sums, counts, book] = sizes.map((size) => {
    at += size;
    return at - size;
  }) as [number, number, number, number, number, number];
  return { block, sample, codes, assigned, sums, counts, book, bytes };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
