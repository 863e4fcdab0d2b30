import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ClockName, setClock } from './clock.ts';
import type { DataSet } from './data-set.ts';
import { DATA_NAMES, readDataSet } from './datasets.ts';
import type { FlatShare } from './flat.ts';
import { ChromiumHost } from './hosts/chromium.ts';
import { loadInChromium } from './hosts/chromium-loads.ts';
import { busyWarning, machine, wasmGzipBytes } from './machine.ts';
import { type Effort, measureSet, type SetMeasured } from './measure.ts';
import { installPeers } from './peers.ts';
import { plot } from './plot.ts';
import type { System } from './system.ts';
import { SYSTEMS, systemsNamed } from './system-list.ts';
import { aligned, markdown, rowsOf } from './table.ts';
import { type Verdict, verdictRows, verdicts } from './verdict.ts';

const USAGE = `npm run bench -- [options]
  --data NAME,…     sets: ${DATA_NAMES.join(', ')}
  --systems WORD,…  only systems whose name holds one of the words
  --quick           about two minutes: siftsmall and synthetic; ours, hnswlib native and in WASM
  --all             slow peers on the large sets too (an hour)
  --rounds N        timed rounds; default 5
  --clock NAME      wall (default), or cpu: the thread's processor time, for a look on a busy machine
  --json FILE       the numbers, as JSON
  --host NAME       node (default), chromium, workerd`;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    systems: { type: 'string' },
    quick: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    clock: { type: 'string', default: 'wall' },
    json: { type: 'string' },
    host: { type: 'string', default: 'node' },
    help: { type: 'boolean', default: false },
  },
});

/** Values of a set up to which slow peers take part. */
const SLOW_VALUES_MAX = 2_000_000;
const QUICK_SYSTEMS: readonly string[] = [
  ...['hnswlib native', 'hnswlib-wasm', 'HNSW (relaxed)', 'SQ8 (relaxed)', 'SQ4 (relaxed)', 'SQ4, vectors'],
];
const FLAT_FLOOR = 0.7;
const GZIP_BYTES_MAX = 60 * 1024;

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

async function inNode(): Promise<void> {
  setClock(options.clock as ClockName);
  const { cpu, cores, node, date, command } = machine();
  const where = `${cpu}, ${cores} cores, Node ${node}, ${date}, \`${command}\``;
  console.log(where);
  for (const warning of [busyWarning(), installPeers()]) if (warning !== undefined) console.log(warning);
  const isWhole = options.data === undefined && options.systems === undefined && !options.quick;
  const flat = isWhole ? runFlat() : [];
  const chromium = await startChromium();
  const measured: SetMeasured[] = [];
  const names = options.data?.split(',') ?? (options.quick ? ['siftsmall', 'synthetic'] : DATA_NAMES);
  for (const name of names) {
    const one = await measureNamed(name, chromium);
    if (one !== undefined) measured.push(one);
  }
  await chromium?.close();
  const bar = verdicts(measured);
  const extras = extraRows(flat, await wasmGzipBytes());
  writeResults(where, measured, bar, extras);
  console.log(`\n${aligned(verdictRows(bar))}\n\n${extras.join('\n')}\n\nWritten to ${RESULTS}`);
  if (isWhole) runScript('inserts.ts');
}

async function measureNamed(name: string, chromium: ChromiumHost | undefined): Promise<SetMeasured | undefined> {
  const set = await readDataSet(name);
  if (typeof set === 'string') {
    console.log(`\n== ${set}`);
    return undefined;
  }
  const began = performance.now();
  console.log(`\n== ${set.name}: ${set.size} × ${set.dimension}, ${set.metric}, ${set.queryCount} queries`);
  const measured = await measureSet(set, systemsFor(set), effort(chromium), (text) => console.log(text));
  console.log(`${aligned(rowsOf(measured))}\n${((performance.now() - began) / 1000).toFixed(0)} s`);
  return measured;
}

function systemsFor(set: DataSet): readonly System[] {
  if (options.systems !== undefined) return systemsNamed(options.systems.split(','));
  if (options.quick) return systemsNamed(QUICK_SYSTEMS);
  const isSmall = set.size * set.dimension <= SLOW_VALUES_MAX;
  return SYSTEMS.filter(({ isSlow }) => isSlow !== true || isSmall || options.all);
}

/** Loads are timed in a page as well, where there is a browser. */
async function startChromium(): Promise<ChromiumHost | undefined> {
  try {
    return await ChromiumHost.start();
  } catch (error) {
    console.log(`No loads in Chromium: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function effort(chromium: ChromiumHost | undefined): Effort {
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
  const loadInPage: Effort['loadInPage'] =
    chromium === undefined ? undefined : (set, saved, loads) => loadInChromium(chromium, set, saved, loads);
  return {
    rounds,
    smallBuilds: options.quick ? 1 : 3,
    loads: options.quick ? 3 : 5,
    ...(loadInPage === undefined ? {} : { loadInPage }),
  };
}

/** FLAT's share of the sequential read, and the table of `flat.ts` on the console. */
function runFlat(): FlatShare[] {
  mkdirSync(RESULTS, { recursive: true });
  const file = `${RESULTS}flat.json`;
  if (!runScript('flat.ts', '--json', file)) return [];
  return JSON.parse(readFileSync(file, 'utf8')) as FlatShare[];
}

function runScript(script: string, ...args: readonly string[]): boolean {
  console.log(`\n== ${script}`);
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

/** What the bar asks for beside the table. */
function extraRows(flat: readonly FlatShare[], gzipBytes: number): string[] {
  return [
    ...flat.map(({ build, dimension, share }) => {
      const holds = share >= FLAT_FLOOR ? 'holds' : 'does not hold';
      return `FLAT f32, ${dimension}-d, ${build}: ${share.toFixed(2)} of the sequential read (floor ${FLAT_FLOOR}): ${holds}`;
    }),
    `WASM of both builds, gzip: ${(gzipBytes / 1024).toFixed(1)} KB (at most ${GZIP_BYTES_MAX / 1024}): ${gzipBytes <= GZIP_BYTES_MAX ? 'holds' : 'does not hold'}`,
  ];
}

function writeResults(
  where: string,
  measured: readonly SetMeasured[],
  bar: readonly Verdict[],
  extras: readonly string[],
): void {
  mkdirSync(RESULTS, { recursive: true });
  const sections = measured.map((set) => {
    const absent = set.absent.map(({ system, why }) => `- ${system}: absent: ${why.split('\n')[0]}`);
    const title = `## ${set.set}: ${set.size} × ${set.dimension}, ${set.metric}`;
    return [title, markdown(rowsOf(set)), ...absent].join('\n\n');
  });
  const text = ['# Bench', where, '![recall against QPS](bench.svg)', markdown(verdictRows(bar)), extras.join('\n\n')];
  writeFileSync(`${RESULTS}bench.md`, `${[...text, ...sections].join('\n\n')}\n`);
  writeFileSync(`${RESULTS}bench.svg`, plot(measured, where));
  const json = JSON.stringify({ machine: machine(), bar, extras, sets: measured }, undefined, 2);
  writeFileSync(options.json ?? `${RESULTS}bench.json`, `${json}\n`);
}

if (options.help) console.log(USAGE);
else if (options.host === 'node') await inNode();
else throw new Error(`--host ${options.host}: there are node, chromium and workerd.`);
