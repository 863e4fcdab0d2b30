import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright';
import { expect } from 'vitest';
import { buildPackage } from '../../worker/cli/build.ts';
import { chromeLaunch } from '../chrome.ts';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

const run = promisify(execFile);

/** `test/run.ts` says by this that `dist/` is fresh: other tests read it while these run. */
const IS_BUILT = 'ELANUS_BUILT';

/** The matrix says by this where the package is that it packed once for all its projects. */
export const TARBALL = 'ELANUS_TARBALL';

/** Builds the package, unless that was done for this run, and packs it into a folder. Resolves with the tarball's path. */
export async function packPackage(folder: string): Promise<string> {
  if (process.env[IS_BUILT] === undefined) await buildPackage();
  if (!existsSync(join(ROOT, 'dist', 'browser', 'engine-worker.js'))) throw new Error('Build first: npm run build.');
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  return join(folder, stdout.trim());
}

/** A folder with what `npm install` of the packed package leaves in an empty project. */
export interface Project {
  readonly folder: string;
  /** What `npm pack` made; not always in the folder. */
  readonly tarball: string;
  /** Writes files into it, by their paths. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

/** Where `installPackage` puts the project, and what it installs beside the package. */
export interface ProjectOptions {
  /** Inside this project, where its tools are found. Default: false. */
  readonly near?: boolean;
  /** Exact versions of what is installed with the package. Default: nothing. */
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packs the package, unless that was done for this run, and installs it in an empty project. */
export async function installPackage({ near = false, dependencies = {} }: ProjectOptions = {}): Promise<Project> {
  const parent = near ? join(ROOT, '.cache') : tmpdir();
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'elanus-package-'));
  const project = {
    folder,
    tarball: '',
    write: async (files: Readonly<Record<string, string>>) => {
      for (const [name, contents] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), contents);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  try {
    project.tarball = process.env[TARBALL] ?? (await packPackage(folder));
    const all = { ...dependencies, elanus: `file:${project.tarball}` };
    const manifest = { name: 'empty', private: true, type: 'module', dependencies: all };
    await project.write({ 'package.json': JSON.stringify(manifest, undefined, 2) });
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
    return project;
  } catch (error) {
    await project.remove();
    throw error;
  }
}

/** The Chromium that all tests drive. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(chromeLaunch());
}

/** A file of the project's tools: `typescript/bin/tsc`. */
export const toolFile = (path: string): string => join(ROOT, 'node_modules', path);

export { run };

/** A local Worker. */
export interface Wrangler {
  readonly url: string;
  stop(): Promise<void>;
}

/** `wrangler dev` in a folder that has its configuration. */
export async function startWrangler(folder: string): Promise<Wrangler> {
  const args = ['dev', '--port', '0', '--inspector-port', '0', '--ip', '127.0.0.1'];
  const child = spawn(
    process.execPath,
    [toolFile('wrangler/bin/wrangler.js'), ...args, '--show-interactive-dev-session=false'],
    { cwd: folder, env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' } },
  );
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /Ready on (http:\/\/[\d.]+:\d+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`wrangler dev ended:\n${output}`)));
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  return { url, stop };
}

/** For programs that are type checked: `same<A, B>(true)` compiles if the two types are one. */
export const TYPE_EQUALITY = `
  type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  declare function same<A, B>(is: Same<A, B>): void;
`;

/** Type checks files of a project as strictly as can be, the package's own declarations too. */
export async function typeCheck(project: Project, files: readonly string[], options: object): Promise<void> {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  };
  const modules = { module: 'esnext', moduleResolution: 'bundler', target: 'es2024', types: [], noEmit: true };
  await project.write({
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...strict, ...modules, ...options }, files }),
  });
  const { stdout } = await run(process.execPath, [toolFile('typescript/bin/tsc'), '-p', project.folder]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }),
  );
  expect(stdout).toBe('');
}
