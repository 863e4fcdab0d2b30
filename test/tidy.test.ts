import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** The repository's own rules: what neither the compiler nor the linter can say. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINES_MAX = 400;

/** Made, fetched, or not ours: the rest is read. */
const IGNORED = new Set(['node_modules', 'dist', '.git', '.elanus', '.wrangler', '.cache', 'results', '.tsbuildinfo']);
const NOT_SOURCE = /\.gz$|^package-lock\.json$|^LICENSE$|\.tgz$|\.png$|\.model$|\.bin$/;

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !IGNORED.has(entry.name) && !NOT_SOURCE.test(entry.name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

const FILES = filesBelow('');
const texts = new Map(FILES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const textOf = (file: string): string => texts.get(file) ?? '';
const MODULES = FILES.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !isAssembly(file));

/** AssemblyScript: its own language in files that end in `.ts`. */
function isAssembly(file: string): boolean {
  return file.startsWith('wasm/assembly/');
}

/** The code alone: comments go, and the text inside quotes. */
function codeOf(file: string): string {
  return textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (match) =>
    match.startsWith('/') ? '' : "''",
  );
}

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** A file of the repository, or undefined for a package. */
  readonly to: string | undefined;
  readonly isTypeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const code = textOf(file).replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  const found = [
    ...code.matchAll(
      /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import '([^']+)'/gm,
    ),
  ];
  return found.map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? '';
    const to = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : undefined;
    return { from: file, specifier, to, isTypeOnly: match[1] !== undefined };
  });
}

const IMPORTS = MODULES.flatMap(importsOf);
const said = ({ from, specifier }: Import): string => `${from} imports ${specifier}`;

describe('imports point one way', () => {
  it('are found at all', () => {
    expect(IMPORTS.length).toBeGreaterThan(500);
    expect(IMPORTS.filter(({ to }) => to?.startsWith('..'))).toEqual([]);
    const sources = IMPORTS.filter(({ to }) => to?.endsWith('.ts') && !to.endsWith('.d.ts'));
    expect(sources.filter(({ to }) => !texts.has(to ?? '')).map(said)).toEqual([]);
  });

  it('core ← wasm ← browser, worker ← demo; only tests import tests', () => {
    const below: Readonly<Record<string, readonly string[]>> = {
      core: ['core'],
      wasm: ['core', 'wasm'],
      browser: ['core', 'wasm', 'browser'],
      worker: ['core', 'wasm', 'worker'],
      demo: ['core', 'wasm', 'browser', 'worker', 'demo'],
    };
    const wrong = IMPORTS.filter(({ from, to }) => {
      const allowed = below[top(from)];
      return allowed !== undefined && to !== undefined && !allowed.includes(top(to));
    });
    expect(wrong.map(said)).toEqual([]);
  });

  it('inside core, from the engine down to its base', () => {
    const wrong = IMPORTS.filter(({ from, to }) => {
      if (top(from) !== 'core' || to === undefined) return false;
      return !mayImport(layerOf(from), layerOf(to));
    });
    expect(wrong.map(said)).toEqual([]);
    const folders = new Set(MODULES.filter((file) => /^core\/.+\//.test(file)).map(layerOf));
    expect(
      [...folders].filter((folder) => rankOf(folder) === undefined),
      'a folder that has no place',
    ).toEqual([]);
  });

  it('never in a circle', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, isTypeOnly } of IMPORTS) {
      if (to !== undefined && !isTypeOnly) edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    expect(findCircle(edges)).toBeUndefined();
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
  });

  it('name only packages that an installation brings', () => {
    const { dependencies, devDependencies } = packageJson();
    const brought = new Set(Object.keys(dependencies));
    const forTools = new Set([...brought, ...Object.keys(devDependencies), 'elanus', 'node:', 'cloudflare:']);
    const wrong = IMPORTS.filter(({ from, specifier, to }) => {
      if (to !== undefined || specifier.startsWith('#')) return false;
      const isPublished = /^(core|wasm|browser|worker)\//.test(from) && !isTool(from);
      if (isPublished && specifier.startsWith('cloudflare:')) return !from.startsWith('worker/');
      return !(isPublished ? brought : forTools).has(packageOf(specifier));
    });
    expect(wrong.map(said)).toEqual([]);
    expect(IMPORTS.filter(({ from, to }) => top(from) === 'core' && to === undefined).map(said)).toEqual([]);
  });
});

/** The first path segment. */
function top(file: string): string {
  return file.split('/')[0] ?? '';
}

/** What runs on a developer's machine and is not published. */
function isTool(file: string): boolean {
  return file.startsWith('worker/cli/') || file === 'wasm/build.ts';
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  if (specifier.startsWith('cloudflare:')) return 'cloudflare:';
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

/** From the base up. Folders of one line are level: they may name each other, but no file itself through others. */
const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['model'],
  ['time', 'storage'],
  ['wal', 'column'],
  ['vector', 'query', 'text'],
  ['segment'],
  ['manifest', 'catalog'],
  ['compaction'],
  ['node'],
  ['sync', 'client'],
];

/** The files beside the folders: the interface, which names models; what a host gives, which the roles take; a constant. */
const BESIDE: Readonly<Record<string, readonly [above: string, below: string]>> = {
  'elanus.ts': ['model', 'node'],
  'platform.ts': ['vector', 'node'],
  'version.ts': ['base', 'node'],
};

/** The folder of core, or the file beside the folders. */
function layerOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function rankOf(layer: string): number | undefined {
  const rank = LAYERS.findIndex((names) => names.includes(layer));
  return rank < 0 ? undefined : rank;
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const upper = rankOf(BESIDE[from]?.[0] ?? from) ?? -1;
  const lower = rankOf(BESIDE[to]?.[1] ?? to) ?? LAYERS.length;
  // A file beside the folders is above what it may name, and below what may name it.
  if (BESIDE[from] !== undefined) return BESIDE[to] === undefined && lower <= upper;
  if (BESIDE[to] !== undefined) return upper >= lower;
  return lower <= upper;
}

function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('core', () => {
  it('reads time, chance and the outside world through its platform alone', () => {
    const world =
      /(?<!#)\b(?:Date|performance|queueMicrotask|setTimeout|setInterval|setImmediate|crypto|console|fetch|process|navigator)\b(?!\s*[?]?:)|\bMath\.random\b/g;
    const wrong = MODULES.filter((file) => file.startsWith('core/') && !file.startsWith('core/client/')).flatMap(
      (file) => [...codeOf(file).matchAll(world)].map((match) => `${file}: ${match[0]}`),
    );
    expect(wrong).toEqual([]);
    expect('const now = Date.now();').toMatch(world);
  });

  it('says the version of the package', () => {
    expect(/VERSION = '([^']+)'/.exec(textOf('core/version.ts'))?.[1]).toBe(packageJson().version);
  });

  it('documents what others build on', () => {
    const documented = MODULES.filter(
      (file) =>
        file.startsWith('core/client/') ||
        [
          'core/elanus.ts',
          'browser/index.ts',
          'browser/open.ts',
          'core/storage/object-store.ts',
          'core/wal/log.ts',
        ].includes(file),
    );
    expect(documented.flatMap(undocumented)).toEqual([]);
  });
});

/** Exported functions, classes and interfaces without a docstring; an overload shares that of the first. */
function undocumented(file: string): string[] {
  const lines = textOf(file).split('\n');
  const names: string[] = [];
  lines.forEach((line, at) => {
    const name = /^export (?:abstract |async )*(?:function|class|interface) (\w+)/.exec(line)?.[1];
    if (name === undefined || lines[at - 1]?.trimEnd().endsWith('*/')) return;
    if (lines.slice(0, at).some((earlier) => new RegExp(`^export (?:async )?function ${name}\\b`).test(earlier)))
      return;
    names.push(`${file}: ${name}`);
  });
  return names;
}

describe('every file', () => {
  it(`has at most ${LINES_MAX} lines, or says why it is longer`, () => {
    const long = FILES.filter((file) => /\.(ts|js|css|md|html)$/.test(file))
      .filter((file) => textOf(file).trimEnd().split('\n').length > LINES_MAX)
      .filter((file) => !/Longer than 400 lines: .{20}/.test(textOf(file)));
    expect(long).toEqual([]);
  });

  it('is finished, and hides nothing from compiler, linter or test runner', () => {
    // Written so that this file does not match itself.
    const unfinished =
      /\b(?:TO[D]O|FIX[M]E|HA[C]K)\b|\bas an[y]\b|@ts-ignor[e]|@ts-nochec[k]|\b(?:describe|it|test)\.(?:onl[y]|ski[p])\b/g;
    const wrong = FILES.flatMap((file) =>
      [...textOf(file).matchAll(unfinished)]
        // asc takes decorators on functions; an editor that reads AssemblyScript as TypeScript does not.
        .filter(({ 0: text, index }) => !(isAssembly(file) && textOf(file).startsWith(`${text}: decorator`, index)))
        .map((match) => `${file}: ${match[0]}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has a name that says what it holds', () => {
    const vague = /^(?:utils?|helpers?|misc|commons?|managers?|stuff|lib)$/;
    const wrong = FILES.filter((file) =>
      basename(file, extname(file))
        .split(/[-.]/)
        .some((word) => vague.test(word)),
    );
    expect(wrong).toEqual([]);
  });

  it('names no path of the machine that it was written on', () => {
    const outside = /(?<![\w.@{}-])\/(?:work|root|home)\/|(?<![\w/.-])shared\//g;
    const wrong = FILES.flatMap((file) =>
      [...textOf(file).matchAll(outside)].map(({ index }) => `${file}: ${textOf(file).slice(index, index + 40)}`),
    );
    expect(wrong.filter((text) => !text.startsWith('test/tidy.test.ts'))).toEqual([]);
  });
});

describe('package.json', () => {
  it('has no script that runs a missing file', () => {
    const named = Object.values(packageJson().scripts).flatMap((script) => script.match(/[\w/.-]+\.ts\b/g) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((file) => !texts.has(file))).toEqual([]);
  });

  it('pins every dependency exactly', () => {
    const { dependencies, devDependencies } = packageJson();
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([name, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) && name !== '@types/node',
    );
    expect(loose).toEqual([]);
  });
});

interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function packageJson(): PackageJson {
  return JSON.parse(textOf('package.json')) as PackageJson;
}
