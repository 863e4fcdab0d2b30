import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clockName } from '../clock.ts';
import { type DataSet, LIMIT, unitVectors } from '../data-set.ts';
import { NativeProgram } from '../native/program.ts';
import { BUILD, type BuiltIndex, type SavedIndex, type System } from '../system.ts';

/**
 * hnswlib's headers in a C++ loop, `-O3 -march=native`, without a binding: every advantage that native code has. It
 * runs in a process of its own and times itself; one turn at a time, like all others. COSINE is the inner product of
 * vectors that were brought to length 1 before, outside the times, as hnswlib's users do.
 */
export const NATIVE: System = { name: 'hnswlib native', build: (set) => NativeIndex.build(set) };

class NativeIndex implements BuiltIndex {
  readonly buildSeconds: number;
  readonly memoryBytes: number;
  readonly memoryNote = 'vectors, labels, links, levels, visited marks; without locks and the table of labels';
  readonly #program: NativeProgram;
  readonly #folder: string;

  constructor(program: NativeProgram, folder: string, buildSeconds: number, memoryBytes: number) {
    this.#program = program;
    this.#folder = folder;
    this.buildSeconds = buildSeconds;
    this.memoryBytes = memoryBytes;
  }

  static async build(set: DataSet): Promise<NativeIndex> {
    const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
    const program = NativeProgram.start();
    await program.ask('clock', clockName());
    await sendVectors(program, folder, set);
    const seconds = await program.ask('build', BUILD.M, BUILD.efConstruction, BUILD.seed);
    return new NativeIndex(program, folder, seconds, await program.ask('bytes'));
  }

  async answers(knob: number): Promise<Int32Array> {
    const file = join(this.#folder, 'answers');
    await this.#program.ask('answers', LIMIT, knob, file);
    return new Int32Array(new Uint8Array(readFileSync(file)).buffer);
  }

  time(knob: number, queries: number, repetitions: number): Promise<number> {
    return this.#program.ask('time', LIMIT, knob, queries, repetitions);
  }

  async save(): Promise<SavedIndex> {
    const path = join(this.#folder, 'saved.hnsw');
    await this.#program.ask('save', path);
    return {
      bytes: statSync(path).size,
      path,
      load: () => this.#program.ask('load', LIMIT, LIMIT, path),
      remove: async () => rmSync(path, { force: true }),
    };
  }

  async free(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function sendVectors(program: NativeProgram, folder: string, set: DataSet): Promise<void> {
  const { dimension, metric } = set;
  const file = join(folder, 'vectors');
  const prepared = (vectors: Float32Array) => (metric === 'COSINE' ? unitVectors(vectors, dimension) : vectors);
  const write = (vectors: Float32Array) =>
    writeFileSync(file, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  write(prepared(set.rows));
  await program.ask('rows', set.size, dimension, metric === 'COSINE' ? 'ip' : 'l2', file);
  write(prepared(set.queries));
  await program.ask('queries', set.queryCount, file);
  rmSync(file);
}
