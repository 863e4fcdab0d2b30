import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright';
import type { BrowserDatabase } from '../../browser/index.ts';
import type { SearchTrace } from '../../core/elanus.ts';
import { chromeLaunch } from '../chrome.ts';
import { type PageServer, serveFolders } from '../node/page-server.ts';
import { machine } from './machine.ts';
import { START_PROBE } from './start-probe.ts';
import { aligned } from './table.ts';

const USAGE = `node test/bench/start.ts [options]
  --rows N          rows in the database; default 10000
  --dimension N     default 384
  --rounds N        cold starts, each of a new browser over the same profile; default 7
  --against FOLDER  another checkout, built too, whose sources are measured in turn with these`;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000' },
    dimension: { type: 'string', default: '384' },
    rounds: { type: 'string', default: '7' },
    against: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const here = fileURLToPath(new URL('../..', import.meta.url));

interface StartWindow {
  openHere(): Promise<BrowserDatabase>;
  readonly steps: Step[];
}

/** What a worker did, and when, in milliseconds of the system's clock. */
interface Step {
  readonly role: string;
  readonly step: string;
  readonly from: number;
  readonly to: number;
}

/** One cold start, as its page saw it. */
interface Start {
  readonly openMs: number;
  readonly searchMs: number;
  readonly trace: SearchTrace | undefined;
  /** From the beginning of `open`. */
  readonly steps: readonly Step[];
}

/** A page that opens a database of a checkout's sources, in a browser over a profile of its own. */
class Candidate {
  readonly name: string;
  readonly #server: PageServer;
  readonly #folders: readonly string[];
  readonly #profile: string;
  readonly starts: Start[] = [];

  private constructor(name: string, server: PageServer, folders: readonly [page: string, profile: string]) {
    this.name = name;
    this.#server = server;
    this.#folders = folders;
    this.#profile = folders[1];
  }

  static async make(name: string, sources: string): Promise<Candidate> {
    const folder = await mkdtemp(join(tmpdir(), 'elanus-start-'));
    const profile = await mkdtemp(join(tmpdir(), 'elanus-start-profile-'));
    const common = { bundle: true, minify: true, format: 'esm', target: 'es2024', absWorkingDir: sources } as const;
    const page = `
      import { open } from ${JSON.stringify(join(sources, 'browser', 'index.ts'))};
      window.steps = [];
      new BroadcastChannel('start-probe').onmessage = ({ data }) => window.steps.push(data);
      window.openHere = () => open({ name: 'start', workerUrl: '/engine-worker.js', wasmUrl: '/wasm/' });`;
    const stdin = { contents: page, resolveDir: sources, loader: 'ts' } as const;
    await build({ ...common, stdin, outfile: join(folder, 'page.js') });
    await build({
      ...common,
      entryPoints: [join(sources, 'browser', 'engine-entry.ts')],
      banner: { js: START_PROBE },
      outfile: join(folder, 'engine-worker.js'),
    });
    await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="/page.js"></script>');
    const candidate = new Candidate(name, await serveFolders(folder, join(sources, 'dist')), [folder, profile]);
    await candidate.#inPage((opened) =>
      opened.evaluate(fill, [Number(options.rows), Number(options.dimension)] as const),
    );
    return candidate;
  }

  /** A cold start: a new browser, the profile on the disk. */
  async start(): Promise<void> {
    const start = await this.#inPage((page) => page.evaluate(openAndSearch, Number(options.dimension)));
    this.starts.push(start);
  }

  async close(): Promise<void> {
    await this.#server.close();
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #inPage<Result>(run: (page: Page) => Promise<Result>): Promise<Result> {
    const context: BrowserContext = await chromium.launchPersistentContext(this.#profile, chromeLaunch());
    try {
      const page = await context.newPage();
      await page.goto(this.#server.origin);
      await page.waitForFunction(() => 'openHere' in globalThis);
      return await run(page);
    } finally {
      await context.close();
    }
  }
}

/** Runs in the page. */
async function fill([rows, dimension]: readonly [number, number]): Promise<void> {
  const collection = { collectionName: 'c' };
  const db = await (globalThis as unknown as StartWindow).openHere();
  await db.createCollection({ ...collection, dimension });
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let first = 0; first < rows; first += 1_000) {
    const data = Array.from({ length: Math.min(1_000, rows - first) }, (_, at) => ({
      id: first + at,
      vector: Float32Array.from({ length: dimension }, random),
      text: `row ${first + at}`,
    }));
    await db.insert({ ...collection, data });
  }
  await db.flush(collection);
  // The read cache is filled after the first read.
  await db.search({ ...collection, data: [new Float32Array(dimension).fill(1)], limit: 10, outputFields: ['text'] });
  await new Promise((done) => setTimeout(done, 1_000));
  await db.close();
}

/** Runs in the page. */
async function openAndSearch(dimension: number): Promise<Start> {
  const page = globalThis as unknown as StartWindow;
  const collection = { collectionName: 'c' };
  const began = performance.now();
  const beganAt = performance.timeOrigin + began;
  const db = await page.openHere();
  const opened = performance.now();
  let trace: SearchTrace | undefined;
  const query = new Float32Array(dimension).fill(1);
  const [hits] = await db.search(
    { ...collection, data: [query], limit: 10, outputFields: ['text'] },
    { onTrace: (told) => (trace = told) },
  );
  const answered = performance.now();
  if (hits?.length !== 10) throw new Error('the database is not what was stored');
  await db.close();
  const steps = page.steps.map((step) => ({ ...step, from: step.from - beganAt, to: step.to - beganAt }));
  return { openMs: opened - began, searchMs: answered - opened, trace, steps };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Median times of a candidate's starts: what, and how long or from when to when. */
function rowsOf({ name, starts }: Candidate): string[][] {
  const ms = (value: number): string => value.toFixed(1);
  const of = (pick: (start: Start) => number): string => ms(median(starts.map(pick)));
  const rows = [
    [name, 'open to first answer', of(({ openMs, searchMs }) => openMs + searchMs)],
    [name, 'open', of(({ openMs }) => openMs)],
    [name, 'first search', of(({ searchMs }) => searchMs)],
  ];
  const names = new Set(starts.flatMap(({ steps }) => steps.map(({ role, step }) => `${role}: ${step}`)));
  for (const label of names) {
    const found = starts.flatMap(({ steps }) =>
      steps.filter(({ role, step }) => `${role}: ${step}` === label).slice(0, 1),
    );
    rows.push([
      name,
      label,
      `${ms(median(found.map(({ from }) => from)))} to ${ms(median(found.map(({ to }) => to)))}`,
    ]);
  }
  const traced = (pick: (trace: SearchTrace) => number): string =>
    of(({ trace }) => (trace === undefined ? Number.NaN : pick(trace)));
  const segments = (trace: SearchTrace): SearchTrace['channels'][number]['segments'] =>
    trace.channels.flatMap((channel) => channel.segments);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  rows.push(
    [name, 'search: plan (catalog, meta)', traced(({ planMs }) => planMs)],
    [name, 'search: wait (manifest, log)', traced(({ channels }) => sum(channels.map(({ waitMs }) => waitMs)))],
    [name, 'search: load segments', traced((trace) => sum(segments(trace).map(({ loadMs }) => loadMs)))],
    [name, 'search: scan', traced((trace) => sum(segments(trace).map(({ scanMs }) => scanMs)))],
    [name, 'search: fetch fields', traced(({ channels }) => sum(channels.map(({ fetchMs }) => fetchMs)))],
  );
  return rows;
}

if (options.help) console.log(USAGE);
else {
  const { cpu, cores, date } = machine();
  console.log(`${cpu}, ${cores} cores, ${date}; ${process.argv.slice(1).join(' ')}`);
  const candidates = [await Candidate.make('these sources', here)];
  if (options.against !== undefined) candidates.push(await Candidate.make('against', resolve(options.against)));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const candidate of candidates) await candidate.start();
  console.log(aligned([['', 'what', 'median ms'], ...candidates.flatMap(rowsOf)]));
  for (const candidate of candidates) await candidate.close();
}
