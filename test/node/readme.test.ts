import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddingsServer, embeddingsServer } from '../core/client/embeddings-server.ts';
import { installPackage, launchChromium, type Project, ROOT, run } from './package-fixture.ts';

/** A fenced block: ` ```js browser ` is of language js and has the tag `browser`, which says where it runs. */
interface Block {
  readonly kind: string;
  readonly code: string;
  readonly line: number;
}

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

function blocksOf(kind: string): Block[] {
  return BLOCKS.filter((block) => block.kind === kind);
}

const BLOCKS: readonly Block[] = [...README.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
  kind: match[1] ?? '',
  code: match[2] ?? '',
  line: README.slice(0, match.index).split('\n').length,
}));

/** What the block says that its `console.log` lines print, in order. */
function promisedOutput(code: string): string[] {
  return [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1] ?? '');
}

/** A comment shows text as it is printed, and anything else as a JavaScript literal. */
function expectOutput(block: Block, printed: readonly (readonly unknown[])[]): void {
  const promised = promisedOutput(block.code);
  expect(promised.length, `line ${block.line}: a block shows what it prints`).toBeGreaterThan(0);
  const shown = promised.map((text, at) => (typeof printed[at]?.[0] === 'string' ? text : literal(text)));
  expect(printed, `README.md, line ${block.line}`).toEqual(shown.map((value) => [value]));
}

function literal(text: string): unknown {
  return new Function(`return (${text});`)();
}

/** A stand-in for models that a test cannot fetch: letters, and where they stand in the alphabet. */
const LETTERS = `(text) => {
  const vector = new Float32Array(384);
  for (const letter of text.toLowerCase().match(/[a-z]/g) ?? []) vector[letter.charCodeAt(0) - 97] += 1;
  return vector;
}`;

/** What stands at the address of Transformers.js: a module of its shape. */
const TRANSFORMERS = `
  export const env = { remoteHost: '', allowLocalModels: true, backends: { onnx: { wasm: { wasmPaths: undefined } } } };
  export const pipeline = async () => async (texts) => {
    const vectors = texts.map(${LETTERS});
    return { dims: [texts.length, 384], data: Float32Array.from(vectors.flatMap((vector) => [...vector])) };
  };`;

let project: Project;

beforeAll(async () => {
  project = await installPackage({ near: true });
}, 120_000);

afterAll(() => project?.remove());

describe('README.md', () => {
  it('has no code that no test runs', () => {
    const unlabelled = BLOCKS.filter((block) => block.kind === '' && /[;$]/.test(block.code));
    expect(unlabelled).toEqual([]);
    // `js worker` and `jsonc worker` are the whole of the Worker project in package.test.ts; what names esbuild, and the
    // policies, are tried by the matrix.
    const elsewhere = ['js worker', 'jsonc worker', 'sh esbuild', 'js esbuild', 'csp'];
    const kinds = ['', 'js browser', 'js node', 'sh', 'sh curl', ...elsewhere];
    expect(BLOCKS.filter((block) => !kinds.includes(block.kind))).toEqual([]);
    for (const kind of kinds.slice(1)) expect(blocksOf(kind).length, kind).toBeGreaterThan(0);
  });

  it('names only commands, files and entries that exist', () => {
    const { scripts, exports, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
      exports: Record<string, unknown>;
      engines: { node: string };
    };
    const commands = [...README.matchAll(/npm (run ([a-z]+)|start|test)/g)].map((match) => match[2] ?? match[1] ?? '');
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.filter((name) => scripts[name] === undefined)).toEqual([]);
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    const paths = [...README.matchAll(/`((?:core|wasm|browser|worker|demo|test)\/[^`]*)`/g)].map(
      (match) => match[1] ?? '',
    );
    expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const entries = [...README.matchAll(/from 'elanus(\/[^']*)?'/g)].map((match) => `.${match[1] ?? ''}`);
    expect(entries.filter((entry) => exports[entry] === undefined)).toEqual([]);
    expect(README).toContain(`Node ${engines.node.replace('>=', '')} or later`);
  });
});

describe('the blocks for a page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  it.each(blocksOf('js browser'))('line $line', async (block) => {
    const root = join(project.folder, `page-${block.line}`);
    await project.write({
      [`page-${block.line}/index.html`]:
        '<!doctype html><title>README</title><script type="module" src="./main.js"></script>',
      [`page-${block.line}/main.js`]: `${block.code}\nglobalThis.isFinished = true;`,
    });
    const vite = await import('vite');
    const config = { root, configFile: false as const, logLevel: 'warn' as const, build: { target: 'es2024' } };
    await vite.build(config);
    const server = await vite.preview({ ...config, preview: { port: 0, host: '127.0.0.1' } });
    try {
      expectOutput(block, await printedByPage(server.resolvedUrls?.local[0] ?? ''));
    } finally {
      await server.close();
    }
  });

  async function printedByPage(url: string): Promise<unknown[][]> {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.once('pageerror', reject));
    failed.catch(() => undefined);
    try {
      await page.addInitScript(() => {
        const printed: unknown[][] = [];
        Object.assign(globalThis, { printed });
        console.log = (...args: unknown[]) => printed.push(args);
      });
      page.on('dialog', (dialog) => dialog.accept());
      await page.route('https://cdn.jsdelivr.net/npm/@huggingface/transformers@*', (route) =>
        route.fulfill({
          body: TRANSFORMERS,
          headers: { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' },
        }),
      );
      await page.goto(url);
      const finished = page.waitForFunction(() => (globalThis as { isFinished?: true }).isFinished);
      await Promise.race([finished, failed]);
      return await page.evaluate(() => (globalThis as unknown as { printed: unknown[][] }).printed);
    } finally {
      await page.close();
    }
  }
});

describe('the blocks for an edge', () => {
  let edge: ChildProcess;
  let folder: string;
  let address = '';
  let embeddings: EmbeddingsServer;

  beforeAll(async () => {
    embeddings = await embeddingsServer({ vectorOf: literal(LETTERS) as (text: string) => Float32Array });
    folder = await mkdtemp(join(tmpdir(), 'elanus-edge-'));
    edge = spawn(process.execPath, [join(ROOT, 'worker', 'cli', 'start.ts'), '--no-build'], {
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ELANUS_FOLDER: folder, ELANUS_TOKEN: '' },
    });
    address = await new Promise<string>((resolve, reject) => {
      let output = '';
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const found = /ready at http:\/\/([\d.:]+)/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      };
      edge.stdout?.on('data', read);
      edge.stderr?.on('data', read);
      edge.once('exit', () => reject(new Error(`npm start ended:\n${output}`)));
    });
  }, 60_000);

  afterAll(async () => {
    if (edge !== undefined && edge.exitCode === null) {
      const ended = new Promise((resolve) => edge.once('exit', resolve));
      edge.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
    await embeddings?.close();
  });

  const onThisEdge = (code: string): string =>
    code.replaceAll('localhost:8787', address).replace('http://localhost:11434/v1/embeddings', embeddings.url);

  it.each(blocksOf('js node'))('line $line', async (block) => {
    await project.write({
      'print-json.js': "console.log = (...args) => process.stdout.write(JSON.stringify(args) + '\\n');",
      [`snippet-${block.line}.js`]: onThisEdge(block.code),
    });
    const args = ['--import', './print-json.js', `snippet-${block.line}.js`];
    const { stdout } = await run(process.execPath, args, { cwd: project.folder });
    const lines = stdout.split('\n').filter((line) => line !== '');
    expectOutput(
      block,
      lines.map((line) => JSON.parse(line) as unknown[]),
    );
  });

  it.each(blocksOf('sh curl'))('line $line: every call succeeds, and the search finds the row', async (block) => {
    const answers: { code: number; data: unknown }[] = [];
    for (const line of onThisEdge(block.code).trim().split('\n')) answers.push(JSON.parse(await curl(line)));
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0));
    expect(answers.at(-1)?.data).toEqual([{ id: 1, distance: 1, color: 'red' }]);
  });

  /** Runs the line; where there is no curl, sends what curl would. */
  async function curl(line: string): Promise<string> {
    const [, url, body] = /^curl -s (\S+) -d '(.*)'$/.exec(line) ?? [];
    if (url === undefined || body === undefined) throw new Error(`Not a call as this test knows them: ${line}`);
    try {
      return (await run('sh', ['-c', `command -v curl >/dev/null || exit 127; ${line}`])).stdout;
    } catch (error) {
      if ((error as { code?: number }).code !== 127) throw error;
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return (await fetch(`http://${url}`, { method: 'POST', body, headers })).text();
    }
  }
});
