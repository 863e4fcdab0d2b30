import { seconds } from './clock.ts';
import { type DataSet, LIMIT } from './data-set.ts';

/** The same for all that have it. */
export const BUILD = { M: 16, efConstruction: 200, seed: 1 } as const;

/** What each system's `ef` is tried at: steps of about a quarter. */
export const EF_GRID: readonly number[] = [
  ...[10, 12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 118, 148, 185, 231, 289, 361, 451, 564, 705],
];

/** Something that finds nearest neighbours: one setting of ours or of a peer. */
export interface System {
  readonly name: string;
  /** Whether it takes so long that fewer queries and rounds must do, and large sets only on demand. */
  readonly isSlow?: boolean;
  /** Whether it is shown beside what the bar is judged by, so that it is left out of the largest sets. */
  readonly isBeside?: boolean;
  /** What is swept; a system without a knob has the one point `[0]`. Defaults to `EF_GRID`. */
  readonly knobs?: readonly number[];
  /** Builds an index of the set's rows, which are given the numbers 0, 1, 2 …; throws where it cannot. */
  build(set: DataSet): Promise<BuiltIndex>;
}

/** An index that is ready. Times are seconds of the work alone, on one thread. */
export interface BuiltIndex {
  /** Undefined where the index was not built but came from elsewhere. */
  readonly buildSeconds: number | undefined;
  /** Bytes that hold the index and all it needs to answer; undefined where that cannot be told. */
  readonly memoryBytes: number | undefined;
  /** What the bytes are made of, if that needs saying. */
  readonly memoryNote?: string;
  /** `LIMIT` row numbers for each query of the set, nearest first; -1 where fewer were found. */
  answers(knob: number): Promise<Int32Array>;
  /** Asks the first `queries` of the set one by one, `repetitions` times over. */
  time(knob: number, queries: number, repetitions: number): Promise<number>;
  /** Undefined where it cannot be saved. */
  save?(): Promise<SavedIndex>;
  free(): Promise<void>;
}

export interface SavedIndex {
  readonly bytes: number;
  /** The file that holds them. */
  readonly path?: string;
  /** From the file in the page cache to the first answer. Undefined where that cannot be measured here. */
  load?(): Promise<number>;
  remove(): Promise<void>;
}

/** `answers` and `time` of a system that runs in this process; the query is given by its number. */
export function inProcess(
  set: DataSet,
  search: (query: number, knob: number) => ArrayLike<number>,
): Pick<BuiltIndex, 'answers' | 'time'> {
  return {
    async answers(knob) {
      const answers = new Int32Array(set.queryCount * LIMIT).fill(-1);
      for (let query = 0; query < set.queryCount; query++) answers.set(search(query, knob), query * LIMIT);
      return answers;
    },
    async time(knob, queries, repetitions) {
      const began = seconds();
      for (let repetition = 0; repetition < repetitions; repetition++) {
        for (let query = 0; query < queries; query++) search(query, knob);
      }
      return seconds() - began;
    },
  };
}

/** The vectors of a set, one view each. */
export function views(vectors: Float32Array, dimension: number): Float32Array[] {
  return Array.from({ length: vectors.length / dimension }, (_, row) =>
    vectors.subarray(row * dimension, (row + 1) * dimension),
  );
}

/** Runs the work, and gives its seconds. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const began = seconds();
  await work();
  return seconds() - began;
}
