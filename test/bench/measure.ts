import type { DataSet } from './data-set.ts';
import { median } from './interleave.ts';
import { bracket, type Point, rateAt, recallOf, TARGETS, type Target } from './recall.ts';
import { type BuiltIndex, EF_GRID, type SavedIndex, type System } from './system.ts';

/** How much is measured. */
export interface Effort {
  /** Timed rounds; in each, every system has its turn. */
  readonly rounds: number;
  /** How often a small set is built by each. */
  readonly smallBuilds: number;
  readonly loads: number;
  /** Times loads in a page, of what was saved; see `loadInChromium`. Absent where there is no browser. */
  readonly loadInPage?: (
    set: DataSet,
    saved: ReadonlyMap<string, SavedIndex>,
    loads: number,
  ) => Promise<ReadonlyMap<string, readonly number[]>>;
}

/** What was measured of one system on one set. */
export interface Measured {
  readonly system: string;
  /** Median of the builds, in seconds. */
  readonly buildSeconds: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly memoryNote: string | undefined;
  readonly savedBytes: number | undefined;
  /** Median; from the file in the page cache to the first answer. */
  readonly loadSeconds: number | undefined;
  /** Median; from the bytes in Chromium's IndexedDB to the first answer. */
  readonly pageLoadSeconds: number | undefined;
  readonly points: readonly Point[];
  /** Queries a second at each target, one entry a round; empty where the recall is not reached. */
  readonly rates: Readonly<Record<Target, readonly number[]>>;
}

export interface SetMeasured {
  readonly set: string;
  readonly metric: string;
  readonly size: number;
  readonly dimension: number;
  readonly measured: readonly Measured[];
  /** Why a system is not there. */
  readonly absent: readonly { readonly system: string; readonly why: string }[];
}

/** Values of a set up to which it is built several times over. */
const SMALL_VALUES_MAX = 2_000_000;
const RECALL_ENOUGH = 0.996;
/** One timing takes at least this long, so that the clock and one interruption do not decide it. */
const TIMING_SECONDS_MIN = 0.03;
/** A processor's time may be counted in steps of this length. */
const CLOCK_STEP = 0.004;
/** Rounds in which points that no target needs are timed too, for the plot; slow systems have no others. */
const PLOT_ROUNDS = 1;
const SLOW_QUERIES = 50;
const PAGE_LOADS_MAX = 3;

/** A system on its way through the measuring of one set. */
interface Running {
  readonly system: System;
  readonly index: BuiltIndex;
  readonly buildSeconds: number[];
  readonly points: Point[];
  readonly loadSeconds: number[];
  saved: SavedIndex | undefined;
}

/** Measures all systems on one set, in turn. `say` is told what goes on. */
export async function measureSet(
  set: DataSet,
  systems: readonly System[],
  effort: Effort,
  say: (text: string) => void,
): Promise<SetMeasured> {
  const absent: { system: string; why: string }[] = [];
  const running: Running[] = [];
  for (const system of systems) {
    try {
      running.push(await buildAndSweep(set, system, say));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(`  ${system.name}: absent: ${why}`);
      absent.push({ system: system.name, why });
    }
  }
  if (set.size * set.dimension <= SMALL_VALUES_MAX) await buildAgain(set, running, effort.smallBuilds - 1);
  await timeRounds(set, running, effort.rounds, say);
  await loadRounds(running, effort.loads, say);
  const pageLoads = await pageRounds(set, running, effort, say);
  for (const { index, saved } of running) {
    await saved?.remove();
    await index.free();
  }
  return {
    set: set.name,
    metric: set.metric,
    size: set.size,
    dimension: set.dimension,
    measured: running.map((one) => resultOf(one, effort.rounds, pageLoads.get(one.system.name) ?? [])),
    absent,
  };
}

/** The first build, and one pass over the knob: recall needs no repetition, and V8 optimizes meanwhile. */
async function buildAndSweep(set: DataSet, system: System, say: (text: string) => void): Promise<Running> {
  const index = await system.build(set);
  const points: Point[] = [];
  for (const knob of system.knobs ?? EF_GRID) {
    const began = performance.now();
    const recall = recallOf(await index.answers(knob), set.truth);
    points.push({ knob, recall, passSeconds: (performance.now() - began) / 1000, rates: [] });
    if (recall >= RECALL_ENOUGH) break;
  }
  const { buildSeconds } = index;
  const built = buildSeconds === undefined ? 'not built here' : `built in ${buildSeconds.toFixed(2)} s`;
  const last = points.at(-1)!;
  say(`  ${system.name}: ${built}, recall ${points[0]!.recall.toFixed(3)} to ${last.recall.toFixed(4)} (${last.knob})`);
  return {
    system,
    index,
    buildSeconds: buildSeconds === undefined ? [] : [buildSeconds],
    points,
    loadSeconds: [],
    saved: undefined,
  };
}

async function buildAgain(set: DataSet, running: readonly Running[], times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    for (const { system, buildSeconds } of running) {
      if (system.isSlow === true) continue;
      const again = await system.build(set);
      if (again.buildSeconds !== undefined) buildSeconds.push(again.buildSeconds);
      await again.free();
    }
  }
}

async function timeRounds(
  set: DataSet,
  running: readonly Running[],
  rounds: number,
  say: (text: string) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const one of running) {
      const needed = new Set(TARGETS.flatMap((target) => bracket(one.points, target)));
      const isSkipped = one.system.isSlow === true && round >= PLOT_ROUNDS;
      for (const point of one.points) {
        const isTimed = !isSkipped && (round < PLOT_ROUNDS || needed.has(point));
        point.rates.push(isTimed ? await rateOf(set, one, point) : undefined);
      }
    }
    say(`  round ${round + 1} of ${rounds}`);
  }
}

async function rateOf(set: DataSet, { system, index }: Running, { knob, passSeconds, rates }: Point): Promise<number> {
  const queries = system.isSlow === true ? Math.min(SLOW_QUERIES, set.queryCount) : set.queryCount;
  // How long a pass takes is known from the round before, or from when recall was measured.
  const known = rates.findLast((rate) => rate !== undefined) ?? set.queryCount / passSeconds;
  const pass = queries / known;
  const repetitions = Math.max(1, Math.ceil(TIMING_SECONDS_MIN / pass));
  return (queries * repetitions) / Math.max(CLOCK_STEP, await index.time(knob, queries, repetitions));
}

async function loadRounds(running: readonly Running[], loads: number, say: (text: string) => void): Promise<void> {
  const attempt = async (one: Running, what: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      say(`  ${one.system.name} cannot be ${what}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };
  for (const one of running) {
    await attempt(one, 'saved', async () => {
      one.saved = await one.index.save?.();
    });
  }
  const loadable = new Set(running.filter(({ saved }) => saved?.load !== undefined));
  for (let round = 0; round < loads; round++) {
    for (const one of loadable) {
      const isLoaded = await attempt(one, 'loaded', async () => {
        one.loadSeconds.push((await one.saved?.load?.()) ?? 0);
      });
      if (!isLoaded) loadable.delete(one);
    }
  }
}

async function pageRounds(
  set: DataSet,
  running: readonly Running[],
  { loadInPage, loads }: Effort,
  say: (text: string) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const saved = running.flatMap(({ system, saved }) => (saved === undefined ? [] : [[system.name, saved] as const]));
  try {
    return (await loadInPage?.(set, new Map(saved), Math.min(loads, PAGE_LOADS_MAX))) ?? new Map();
  } catch (error) {
    say(`  no loads in Chromium: ${error instanceof Error ? error.message : String(error)}`);
    return new Map();
  }
}

function resultOf(
  { system, index, buildSeconds, points, saved, loadSeconds }: Running,
  rounds: number,
  pageLoads: readonly number[],
): Measured {
  const ratesAt = (target: Target): number[] => {
    const all = Array.from({ length: rounds }, (_, round) => rateAt(points, target, round));
    return all.filter((rate) => rate !== undefined);
  };
  return {
    system: system.name,
    buildSeconds: medianOf(buildSeconds),
    memoryBytes: index.memoryBytes,
    memoryNote: index.memoryNote,
    savedBytes: saved?.bytes,
    loadSeconds: medianOf(loadSeconds),
    pageLoadSeconds: medianOf(pageLoads),
    points,
    rates: { 0.95: ratesAt(0.95), 0.99: ratesAt(0.99) },
  };
}

/** The median, or undefined of nothing. */
export function medianOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : median(values);
}
