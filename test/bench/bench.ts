import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ClockName, setClock } from './clock.ts';
import type { DataSet } from './data-set.ts';
import { DATA_NAMES, readDataSet } from './datasets.ts';
import type { FlatShare } from './flat.ts';
import { HOST_NAMES, type Host, type HostName, startHost } from './hosts/host.ts';
import { busyWarning, machine, wasmGzipBytes } from './machine.ts';
import { type Effort, measureSet, type SetMeasured } from './measure.ts';
import { installPeers } from './peers.ts';
import { extraRows, RESULTS, writeResults } from './report.ts';
import type { System } from './system.ts';
import { systemsNamed } from './system-list.ts';
import { aligned, rowsOf } from './table.ts';
import { verdictRows, verdicts } from './verdict.ts';

const USAGE = `npm run bench -- [options]
  --data NAME,…     sets: ${DATA_NAMES.join(', ')}
  --systems WORD,…  only systems whose name holds one of the words
  --quick           about three minutes: siftsmall and synthetic; ours, hnswlib native and in WASM
  --all             all peers on the large sets too (an hour)
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

/** Values of a set up to which a system takes part, unless all are asked for: what no bar is judged against. */
const SLOW_VALUES_MAX = 2_000_000;
const BESIDE_VALUES_MAX = 10_000_000;
const QUICK_SYSTEMS: readonly string[] = [
  ...['hnswlib native', 'hnswlib-wasm', 'HNSW (relaxed)', 'SQ8 (relaxed)', 'SQ4 (relaxed)', 'SQ4, vectors'],
];

async function bench(hostName: HostName): Promise<void> {
  // The clocks of other hosts are theirs.
  setClock(hostName === 'node' ? (options.clock as ClockName) : 'wall');
  const { cpu, cores, node, date, command } = machine();
  const where = `${cpu}, ${cores} cores, Node ${node}, ${date}, \`${command}\``;
  console.log(where);
  for (const warning of [busyWarning(), installPeers()]) if (warning !== undefined) console.log(warning);
  const isWhole = options.data === undefined && options.systems === undefined && !options.quick && hostName === 'node';
  const flat = isWhole ? runFlat() : [];
  const host = await startHost(hostName);
  const measured: SetMeasured[] = [];
  for (const name of dataNames(host)) {
    const one = await measureNamed(name, host);
    if (one !== undefined) measured.push(one);
  }
  await host.close();
  const bar = verdicts(measured);
  const extras = extraRows(flat, await wasmGzipBytes());
  const folder = writeResults({ host: hostName, where, measured, bar, extras, json: options.json });
  console.log(`\n${aligned(verdictRows(bar))}\n\n${extras.join('\n')}\n\nWritten to ${folder}`);
  if (isWhole) runScript('inserts.ts');
}

function dataNames(host: Host): readonly string[] {
  return options.data?.split(',') ?? (options.quick ? ['siftsmall', 'synthetic'] : (host.dataNames ?? DATA_NAMES));
}

async function measureNamed(name: string, host: Host): Promise<SetMeasured | undefined> {
  const set = await readDataSet(name);
  if (typeof set === 'string') {
    console.log(`\n== ${set}`);
    return undefined;
  }
  const began = performance.now();
  console.log(`\n== ${set.name}: ${set.size} × ${set.dimension}, ${set.metric}, ${set.queryCount} queries`);
  await host.use(set);
  const measured = await measureSet(set, systemsFor(set, host), effort(host), (text) => console.log(text));
  console.log(`${aligned(rowsOf(measured))}\n${((performance.now() - began) / 1000).toFixed(0)} s`);
  return measured;
}

function systemsFor(set: DataSet, { systems }: Host): readonly System[] {
  if (options.systems !== undefined) return systemsNamed(systems, options.systems.split(','));
  if (options.quick) return systemsNamed(systems, QUICK_SYSTEMS);
  const values = set.size * set.dimension;
  return systems.filter(({ isSlow, isBeside }) => {
    if (options.all) return true;
    if (isSlow === true) return values <= SLOW_VALUES_MAX;
    return isBeside !== true || values <= BESIDE_VALUES_MAX;
  });
}

function effort({ loadInPage }: Host): Effort {
  return {
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    smallBuilds: options.quick ? 1 : 2,
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

const hostName = HOST_NAMES.find((name) => name === options.host);
if (options.help) console.log(USAGE);
else if (hostName !== undefined) await bench(hostName);
else throw new Error(`--host ${options.host}: there are ${HOST_NAMES.join(', ')}.`);
