import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build as bundle, type Metafile } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  installPackage,
  type Project,
  ROOT,
  run,
  startWrangler,
  TYPE_EQUALITY,
  toolFile,
  typeCheck,
  type Wrangler,
} from './package-fixture.ts';
import { readmeBlock } from './readme-block.ts';

let project: Project;
let installed: string;

beforeAll(async () => {
  project = await installPackage();
  installed = join(project.folder, 'node_modules', 'elanus');
}, 120_000);

afterAll(() => project?.remove());

describe('the package', () => {
  it('holds what its entries name and nothing else of the project', async () => {
    const { stdout } = await run('tar', ['-tzf', project.tarball]);
    const files = stdout
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''));
    const odd = files.filter(
      (name) =>
        !/^(LICENSE|README\.md|package\.json|dist\/(core|wasm|browser|worker)\/.+(\.js|\.d\.ts|\.wasm))$/.test(name),
    );
    expect(odd).toEqual([]);
    expect(files.filter((name) => /\btest\b|\bcli\b|\bdemo\b/.test(name))).toEqual([]);
    for (const target of exportTargets()) expect(files, target).toContain(target);
    expect((await stat(project.tarball)).size).toBeLessThan(700_000);
  });

  it('puts types before the code of every entry', () => {
    for (const [entry, targets] of Object.entries(packageJson().exports)) {
      if (typeof targets === 'string') continue;
      const conditions = Object.keys(targets);
      expect([conditions[0], conditions.at(-1)], entry).toEqual(['types', 'default']);
      // Of the rest each would hide those behind it, and hosts match several.
      expect(conditions.slice(1, -1), entry).toEqual(entry === './vector' ? ['workerd'] : []);
    }
  });

  it.each(['browser', 'wasm'])(
    'has the entry in %s also as one file, which a page without a bundler imports',
    async (folder) => {
      const file = (name: string): string => join(installed, 'dist', folder, name);
      const bundleOf = async (name: string) => {
        const common = { bundle: true, write: false, metafile: true, format: 'esm' } as const;
        return (await bundle({ entryPoints: [file(name)], ...common })).metafile;
      };
      const alone = await bundleOf('standalone.js');
      expect(Object.values(alone.inputs).map(({ imports }) => imports)).toEqual([[]]);
      const exportsOf = ({ outputs }: Metafile): string[] => Object.values(outputs).flatMap((output) => output.exports);
      expect(exportsOf(alone)).toEqual(exportsOf(await bundleOf('index.js')));
    },
  );

  it('has no fault that publint knows', async () => {
    const { messages } = await publint({ pkgDir: installed, strict: true });
    expect(messages.map((message) => formatMessage(message, packageJson() as never))).toEqual([]);
  });

  it('has types that every way of resolving modules finds, where packages are modules', async () => {
    // Files that a page starts by their address, and imports never.
    const excludeEntrypoints = ['./browser/engine-worker.js', './vector/worker.js'];
    const packed = createPackageFromTarballData(await readFile(project.tarball));
    const analysis = await checkPackage(packed, { excludeEntrypoints });
    if (analysis.types === false) throw new Error('The package has no types.');
    // A module cannot be required; what resolved types before there were entries has none.
    const [node10, required] = ['node10', 'node16-cjs'];
    const wrong = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && [node10, required].includes(problem.resolutionKind)),
    );
    expect(wrong).toEqual([]);
  });

  it('has an engine worker in one file, which any page can start as a script or as a module', async () => {
    const file = join(installed, 'dist', 'browser', 'engine-worker.js');
    const { metafile } = await bundle({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
    });
    const inputs = Object.values(metafile.inputs);
    expect(inputs).toHaveLength(1);
    expect(inputs[0]?.imports).toEqual([]);
    // A classic script has neither `import` nor top-level `await`; the constructor of functions takes no more either.
    expect(() => new Function(readFileSync(file, 'utf8'))).not.toThrow();
  });

  it('leaves the address of Transformers.js to the person: no bundler looks behind it', async () => {
    const code = await readFile(join(installed, 'dist', 'core', 'client', 'transformers-module.js'), 'utf8');
    const marks = ['@vite-ignore', 'webpackIgnore: true', 'turbopackIgnore: true'].map((mark) => `/* ${mark} */ `);
    expect(code).toContain(`import(${marks.join('')}url)`);
  });

  it('costs a page little: the engine and its WASM load in the worker', async () => {
    const { outputFiles } = await bundle({
      stdin: { contents: "export { open } from 'elanus/browser';", resolveDir: project.folder },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      target: 'es2024',
    });
    const gzip = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).byteLength;
    const dist = join(installed, 'dist');
    const sizes = {
      tarball: (await stat(project.tarball)).size,
      'page client, gzip': gzip(outputFiles[0]?.contents ?? new Uint8Array()),
      'engine worker, gzip': gzip(await readFile(join(dist, 'browser', 'engine-worker.js'))),
      'elanus.wasm, gzip': gzip(await readFile(join(dist, 'wasm', 'elanus.wasm'))),
      'elanus-relaxed.wasm, gzip': gzip(await readFile(join(dist, 'wasm', 'elanus-relaxed.wasm'))),
    };
    console.log(
      Object.entries(sizes)
        .map(([name, bytes]) => `${name}: ${bytes} bytes`)
        .join('\n'),
    );
    expect(sizes['page client, gzip']).toBeLessThan(16_000);
    expect(sizes['engine worker, gzip']).toBeLessThan(100_000);
    // A host loads one of the two.
    expect(sizes['elanus.wasm, gzip'] + sizes['elanus-relaxed.wasm, gzip']).toBeLessThan(60 * 1024);
  });
});

describe('in an empty Worker project', () => {
  let wrangler: Wrangler | undefined;

  afterAll(() => wrangler?.stop());

  it("creates, inserts and searches over HTTP, with the README's code and configuration", async () => {
    await project.write({ 'index.js': readmeBlock('js worker'), 'wrangler.jsonc': readmeBlock('jsonc worker') });
    wrangler = await startWrangler(project.folder);
    const { url } = wrangler;
    const post = async (path: string, body: unknown): Promise<unknown> => {
      const response = await fetch(`${url}/v2/vectordb/${path}`, { method: 'POST', body: JSON.stringify(body) });
      return response.json();
    };
    expect(await post('collections/create', { collectionName: 'docs', dimension: 2 })).toEqual({ code: 0, data: {} });
    const data = [
      { id: 1, vector: [1, 0] },
      { id: 2, vector: [0, 1] },
    ];
    expect(await post('entities/insert', { collectionName: 'docs', data })).toMatchObject({ code: 0 });
    const found = await post('entities/search', { collectionName: 'docs', data: [[0, 1]], limit: 1 });
    expect(found).toMatchObject({ code: 0, data: [{ id: 2, distance: 1 }] });
  });
});

/** What a project's compiler may say of modules. */
const RESOLUTIONS = [
  { module: 'esnext', moduleResolution: 'bundler' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
] as const;

describe.each(RESOLUTIONS)('in a TypeScript project with $moduleResolution', (resolution) => {
  it('infers rows from fields, and refuses what is wrong', async () => {
    await project.write({
      'types/page.ts': `
        import { type Embedder, open } from 'elanus/browser';
        import { connect, type Elanus, ElanusError } from 'elanus';
        ${TYPE_EQUALITY}
        declare const embedder: Embedder;
        const fields = { id: { type: 'Int64', primary: true }, title: 'VarChar', price: { type: 'Double', nullable: true }, vector: 'FloatVector' } as const;
        const page = await open({ name: 'shop', int64: 'bigint' });
        const edge = connect({ url: 'https://edge.example', token: 'secret' });
        const both: [Elanus<'bigint'>, Elanus] = [page, edge];
        const docs = page.collection('docs', { fields, embedder });
        await docs.insert([{ id: 1n, title: 'a' }, { id: '9007199254740993', title: 'b', vector: [1, 2] }]);
        const [row] = await docs.get([1n]);
        if (row === undefined) throw new ElanusError('invalid', 'none');
        same<typeof row.id, bigint>(true);
        same<typeof row.title, string>(true);
        same<typeof row.price, number | null>(true);
        same<typeof row.vector, Float32Array>(true);
        const [remote] = await edge.collection('docs', { fields }).get([1]);
        if (remote !== undefined) same<typeof remote.id, number>(true);
        // @ts-expect-error: there is no such field.
        row.tittle;
        // @ts-expect-error: a title is text.
        await docs.insert([{ id: 1n, title: 1 }]);
        // @ts-expect-error: a name is needed.
        await open({});
        export { both };
      `,
    });
    await typeCheck(project, ['types/page.ts'], { ...resolution, lib: ['es2024', 'dom'] });
  });

  it("the client's types need no DOM beside Node's", async () => {
    await project.write({
      'types/node.ts': `
        import { connect } from 'elanus';
        ${TYPE_EQUALITY}
        const db = connect({ url: new URL('http://localhost:8787'), int64: 'string' });
        const rows = await db.collection('docs', { fields: { id: { type: 'Int64', primary: true } } }).query({ filter: 'id > 0' });
        const first = rows[0];
        if (first !== undefined) same<typeof first.id, string>(true);
      `,
    });
    const types = { types: ['node'], typeRoots: [toolFile('@types')] };
    await typeCheck(project, ['types/node.ts'], { ...resolution, lib: ['es2024'], ...types });
  });

  it("the Worker's entry has types", async () => {
    await project.write({
      'types/worker.ts': `
        ${readmeBlock('js worker')}
        import type { Env } from 'elanus/worker';
        export type Bucket = Env['OBJECTS'];
      `,
    });
    const types = [toolFile('@cloudflare/workers-types')];
    await typeCheck(project, ['types/worker.ts'], { ...resolution, lib: ['es2024'], types });
  });
});

interface PackageJson {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
}

/** The files that the entries name; both builds for the pattern of the WASM. */
function exportTargets(): string[] {
  return Object.values(packageJson().exports)
    .flatMap((targets) => (typeof targets === 'string' ? [targets] : Object.values(targets)))
    .flatMap((target) =>
      target.includes('*') ? ['elanus', 'elanus-relaxed'].map((name) => target.replace('*', name)) : [target],
    )
    .map((target) => target.replace(/^\.\//, ''));
}
