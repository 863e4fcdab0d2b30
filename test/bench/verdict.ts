import { JUDGED_NAMES } from './datasets.ts';
import type { Measured, SetMeasured } from './measure.ts';
import { TARGETS, type Target } from './recall.ts';
import { SETTINGS } from './systems/elanus.ts';
import { nameOf, type Setting } from './systems/elanus-index.ts';
import { fixed, REFERENCE, ratioAt } from './table.ts';

/** One line of the bar: what was asked, what came out. */
export interface Verdict {
  readonly what: string;
  readonly against: string;
  /** Ours as it was measured, and the least of it that is needed; a smaller number is better where `isCost`. */
  readonly floor: number;
  readonly aim: number;
  readonly measured: number | undefined;
  /** The same on the SIMD128 build. */
  readonly simd: number | undefined;
  readonly isCost: boolean;
  readonly lowest: { readonly set: string; readonly value: number } | undefined;
  /** Judged sets that the figure is made of. */
  readonly sets: number;
  readonly holds: boolean;
  /** The setting that is judged. */
  readonly setting: string;
}

/** No single set may be below this share of the floor. */
const LOWEST_SHARE = 0.75;
const WASM = 'hnswlib-wasm';
/** The set of the bar's row on bytes, the one of 384 dimensions. */
const BYTES_SET = 'synthetic';

/** How many times as good one system is as another on one set; undefined where that was not measured. */
type Figure = (set: SetMeasured, system: string, against: string) => number | undefined;

/** The table of the bar, of whatever was measured. */
export function verdicts(all: readonly SetMeasured[]): Verdict[] {
  const sets = all.filter(({ set }) => JUDGED_NAMES.has(set));
  const code = bestCode(sets);
  const fastest = fastestBuild(sets);
  return [
    ...TARGETS.flatMap((target) =>
      speedRows(sets, `QPS at ${target}, f32 HNSW`, settingOf('HNSW'), target, [5, 8, 1, 1.5]),
    ),
    ...TARGETS.flatMap((target) =>
      speedRows(sets, `QPS at ${target}, best code + refine`, code, target, [8, 15, 1.8, 3]),
    ),
    judge(sets, 'build time, best', fastest, WASM, 5, 10, buildRatio),
    judge(sets, 'build time, best', fastest, REFERENCE, 2, 4, buildRatio),
    bytesRow(sets, WASM),
    bytesRow(sets, REFERENCE),
    ...[code, code && { ...code, exact: 'file' as const }].flatMap((setting, place) => {
      const where = place === 0 ? '' : ', vectors in a file';
      return [
        judge(sets, `load to the first answer in Chromium, best code${where}`, setting, WASM, 10, 10, pageLoadRatio),
        judge(sets, `load to the first answer in Node, best code${where}`, setting, REFERENCE, 1, 1, loadRatio),
      ];
    }),
  ];
}

function settingOf(type: Setting['type']): Setting | undefined {
  return SETTINGS.find((setting) => setting.type === type && setting.exact === 'memory');
}

function speedRows(
  sets: readonly SetMeasured[],
  what: string,
  setting: Setting | undefined,
  target: Target,
  [wasmFloor, wasmAim, nativeFloor, nativeAim]: readonly [number, number, number, number],
): Verdict[] {
  const figure: Figure = (set, system, against) => ratioAt(find(set, system), find(set, against), target);
  return [
    judge(sets, what, setting, WASM, wasmFloor, wasmAim, figure),
    judge(sets, what, setting, REFERENCE, nativeFloor, nativeAim, figure),
  ];
}

const buildRatio: Figure = (set, system, against) =>
  quotient(find(set, against)?.buildSeconds, find(set, system)?.buildSeconds);
const loadRatio: Figure = (set, system, against) =>
  quotient(find(set, against)?.loadSeconds, find(set, system)?.loadSeconds);

const pageLoadRatio: Figure = (set, system, against) =>
  quotient(find(set, against)?.pageLoadSeconds, find(set, system)?.pageLoadSeconds);

/** A row whose measured number is the geometric mean of a figure over the sets. */
function judge(
  sets: readonly SetMeasured[],
  what: string,
  setting: Setting | undefined,
  against: string,
  floor: number,
  aim: number,
  figure: Figure,
): Verdict {
  const of = (system: string) =>
    sets.flatMap((set) => {
      const value = figure(set, system, against);
      return value === undefined ? [] : [{ set: set.set, value }];
    });
  const name = setting === undefined ? '' : nameOf(setting);
  const values = of(name);
  const beside = setting === undefined ? [] : of(nameOf({ ...setting, build: 'simd' }));
  const lowest = values.toSorted((one, other) => one.value - other.value)[0];
  const measured = geometricMean(values.map(({ value }) => value));
  const holds = measured !== undefined && measured >= floor && lowest!.value >= LOWEST_SHARE * floor;
  return {
    what,
    against,
    floor,
    aim,
    measured,
    simd: geometricMean(beside.map(({ value }) => value)),
    isCost: false,
    lowest,
    sets: values.length,
    holds,
    setting: name,
  };
}

/**
 * Bytes a vector of the leanest setting that, with vectors handed in from a file, is as fast as native at recall 0.95
 * in the same run.
 */
function bytesRow(sets: readonly SetMeasured[], against: string): Verdict {
  const set = sets.find(({ set }) => set === BYTES_SET);
  const candidates = SETTINGS.filter(({ exact }) => exact === 'file').flatMap((setting) => {
    const one = find(set, nameOf(setting));
    const speed = ratioAt(one, find(set, REFERENCE), 0.95) ?? 0;
    const value = quotient(one?.memoryBytes, find(set, against)?.memoryBytes);
    return value === undefined || speed < 1 ? [] : [{ setting, value }];
  });
  const leanest = candidates.toSorted((one, other) => one.value - other.value)[0];
  return {
    what: 'bytes a vector in memory, 384-d, at least as fast as native',
    against,
    floor: 0.25,
    aim: 0.15,
    measured: leanest?.value,
    simd: undefined,
    isCost: true,
    lowest: undefined,
    sets: leanest === undefined ? 0 : 1,
    holds: leanest !== undefined && leanest.value <= 0.25,
    setting: leanest === undefined ? '' : nameOf(leanest.setting),
  };
}

/** The code whose speeds at both recalls are the best over all sets: one for all of them. */
function bestCode(sets: readonly SetMeasured[]): Setting | undefined {
  return bestOf(['HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'], (name) =>
    sets.flatMap((set) => TARGETS.map((target) => ratioAt(find(set, name), find(set, REFERENCE), target))),
  );
}

function fastestBuild(sets: readonly SetMeasured[]): Setting | undefined {
  return bestOf(['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'], (name) =>
    sets.map((set) => buildRatio(set, name, REFERENCE)),
  );
}

/** A type that misses a figure loses to those that have all of them. */
function bestOf(
  types: readonly Setting['type'][],
  figures: (name: string) => readonly (number | undefined)[],
): Setting | undefined {
  const rated = types.flatMap((type) => {
    const setting = settingOf(type);
    if (setting === undefined) return [];
    const all = figures(nameOf(setting));
    const known = all.filter((value) => value !== undefined);
    return [{ setting, missing: all.length - known.length, mean: geometricMean(known) ?? 0 }];
  });
  return rated.toSorted((one, other) => one.missing - other.missing || other.mean - one.mean)[0]?.setting;
}

function find(set: SetMeasured | undefined, system: string): Measured | undefined {
  return set?.measured.find((one) => one.system === system);
}

function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** The table's rows, with a head. */
export function verdictRows(rows: readonly Verdict[]): string[][] {
  const sign = ({ isCost }: Verdict, value: number | undefined) => (isCost ? fixed(value, 3) : times(value));
  return [
    ['the bar', 'against', 'floor', 'aim', 'measured', 'holds', 'SIMD128', 'lowest set', 'sets', 'setting'],
    ...rows.map((row) => [
      row.what,
      row.against,
      sign(row, row.floor),
      sign(row, row.aim),
      sign(row, row.measured),
      row.measured === undefined ? '–' : row.holds ? 'yes' : 'no',
      sign(row, row.simd),
      row.lowest === undefined ? '–' : `${times(row.lowest.value)} ${row.lowest.set}`,
      String(row.sets),
      row.setting,
    ]),
  ];
}

function times(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(2)}×`;
}
