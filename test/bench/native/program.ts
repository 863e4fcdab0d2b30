import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { peerFolder } from '../peers.ts';

const SOURCE = fileURLToPath(new URL('hnswlib.cpp', import.meta.url));
const FOLDER = fileURLToPath(new URL('../.cache/', import.meta.url));
const PROGRAM = `${FOLDER}hnswlib-native`;

/**
 * Compiles `hnswlib.cpp` with the headers of hnswlib-node's package, if that was not done since it last changed, and
 * gives the program's path. Throws with the compiler's words, or if there are no headers or no compiler.
 */
export function compileNative(): string {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(SOURCE).mtimeMs) return PROGRAM;
  mkdirSync(FOLDER, { recursive: true });
  const headers = `${peerFolder('hnswlib-node')}src/hnswlib`;
  const compiler = process.env['CXX'] ?? 'g++';
  const flags = ['-std=c++17', '-O3', '-march=native', '-I', headers, SOURCE, '-o', PROGRAM];
  const { error, status, stderr } = spawnSync(compiler, flags, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${compiler}: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`${compiler}: ${stderr}`);
  return PROGRAM;
}

/** The program of `hnswlib.cpp`, running; its requests are described there. Stopped by `stop`. */
export class NativeProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    // A program that has ended says so by its missing reply.
    child.stdin.on('error', () => {});
    this.#replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static start(): NativeProgram {
    return new NativeProgram(spawn(compileNative(), [], { stdio: ['pipe', 'pipe', 'inherit'] }) as never);
  }

  /** Sends one request and gives the number of its reply. One at a time. */
  async ask(...request: readonly (string | number)[]): Promise<number> {
    this.#child.stdin.write(`${request.join(' ')}\n`);
    const { done, value } = await this.#replies.next();
    if (done === true) throw new Error(`The native program ended at "${request.join(' ')}".`);
    if (!value.startsWith('ok ')) throw new Error(`hnswlib (native): ${value.replace(/^error /, '')}`);
    return Number(value.slice(3));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end('quit\n');
    await ended;
  }
}
