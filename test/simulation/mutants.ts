import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LogUnderTest } from './log-simulation.ts';

/** One rule of the log's protocol taken out: what to change in which file. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rules of WAL.md and of the channel's protocol that concern the log alone, each as the change that breaks it. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no fence is put into the old term',
    file: 'object-log.ts',
    find: 'await objects.createFrame(position, encodeFence(position, fencingTerm, objects.host.random));\n      return index;',
    replace: 'return index;',
  },
  {
    name: '"already exists" is taken for success',
    file: 'object-log.ts',
    find: 'const created = this.#objects.createFrame(position, frame);',
    replace: 'const created = this.#objects.createFrame(position, frame).catch((error) => { if (codeOf(error) !== "conflict") throw error; });',
  },
  {
    name: 'appends are acknowledged out of order',
    file: 'object-log.ts',
    find: 'Promise.allSettled([before, append.created])',
    replace: 'Promise.allSettled([Promise.resolve(), append.created])',
  },
  {
    name: 'the tail is taken without a look at the last slots',
    file: 'log-read.ts',
    find: 'empty - LOG_APPENDS_IN_FLIGHT_MAX',
    replace: 'empty',
  },
  {
    name: "the root's term is not checked at opening",
    file: 'object-log.ts',
    find: 'if (root.term >= term) throw',
    replace: 'if (root.term === term) throw',
  },
  {
    name: 'the window counts unresolved appends instead of unacknowledged ones',
    file: 'object-log.ts',
    find: "const [earlier, own] = await Promise.allSettled([before, append.created]);\n    this.#unacknowledged.splice(this.#unacknowledged.indexOf(append), 1);",
    replace: "append.created.catch(() => undefined).then(() => this.#unacknowledged.splice(this.#unacknowledged.indexOf(append), 1)); const [earlier, own] = await Promise.allSettled([before, append.created]);",
  },
  {
    name: 'a fence is truncated with the frames below it',
    file: 'object-log.ts',
    find: 'const end = term < below.term ? count :',
    replace: 'const end = term < below.term ? count + 1 :',
  },
  {
    name: 'garbage collection deletes fences and the newest frame',
    file: 'object-log.ts',
    find: 'size > FRAME_HEADER_BYTES',
    replace: 'size > 0',
  },
  {
    name: 'a read below the truncation point skips instead of rejecting',
    file: 'log-read.ts',
    find: 'refuseTruncated(root, from, objects.channel);\n  for',
    replace: 'for',
  },
];

/** Builds a mutant in a folder of its own, beside nothing of the real one. */
export async function loadMutant(mutant: Mutant): Promise<LogUnderTest> {
  const folder = join(root, '.cache', 'mutants', mutant.name.replaceAll(/[^a-z]+/gi, '-'), 'wal');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(root, 'core', 'wal'), folder, { recursive: true });
  const core = pathToFileURL(join(root, 'core')).href;
  for (const file of ['object-log.ts', 'log-read.ts', 'log-objects.ts', 'frame.ts', 'log.ts', 'log-errors.ts']) {
    const path = join(folder, file);
    let source = await readFile(path, 'utf8').catch(() => undefined);
    if (source === undefined) continue;
    if (file === mutant.file) {
      if (!source.includes(mutant.find)) throw new Error(`The mutant "${mutant.name}" no longer fits ${file}.`);
      source = source.replace(mutant.find, mutant.replace);
    }
    await writeFile(path, source.replaceAll("from '../", `from '${core}/`));
  }
  return (await import(pathToFileURL(join(folder, 'object-log.ts')).href)) as LogUnderTest;
}
