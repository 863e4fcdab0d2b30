import { type Measured, medianOf, type SetMeasured } from './measure.ts';
import type { Target } from './recall.ts';

/** What ratios are given against. */
export const REFERENCE = 'hnswlib native';

const HEAD: readonly string[] = [
  'system',
  'QPS at .95',
  '× native',
  'QPS at .99',
  '× native',
  'build s',
  'bytes/vector',
  'saved MB',
  'load ms',
  'in Chromium',
  'best recall',
];

/** The measured numbers of one set, a row a system; a dash where there is nothing to tell. */
export function rowsOf({ measured, size }: SetMeasured): string[][] {
  const reference = measured.find(({ system }) => system === REFERENCE);
  return [
    [...HEAD],
    ...measured.map((one) => [
      one.system,
      rate(one, 0.95),
      ratio(one, reference, 0.95),
      rate(one, 0.99),
      ratio(one, reference, 0.99),
      fixed(one.buildSeconds, 2),
      fixed(one.memoryBytes === undefined ? undefined : one.memoryBytes / size, 0),
      fixed(one.savedBytes === undefined ? undefined : one.savedBytes / 1e6, 1),
      fixed(one.loadSeconds === undefined ? undefined : one.loadSeconds * 1000, 1),
      fixed(one.pageLoadSeconds === undefined ? undefined : one.pageLoadSeconds * 1000, 1),
      Math.max(...one.points.map(({ recall }) => recall)).toFixed(4),
    ]),
  ];
}

/** The median over rounds of how many times as fast; undefined where one of them does not reach the recall. */
export function ratioAt(one: Measured | undefined, other: Measured | undefined, target: Target): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  const ours = one.rates[target];
  const theirs = other.rates[target];
  const ratios = ours.flatMap((value, round) => (theirs[round] === undefined ? [] : [value / theirs[round]]));
  return medianOf(ratios);
}

function rate(one: Measured, target: Target): string {
  const isFirst = (one.points[0]?.recall ?? 0) >= target && one.points.length > 1;
  return `${isFirst ? '≥ ' : ''}${fixed(medianOf(one.rates[target]), 0)}`;
}

function ratio(one: Measured, reference: Measured | undefined, target: Target): string {
  const value = ratioAt(one, reference, target);
  return fixed(value, value !== undefined && value < 0.1 ? 3 : 2);
}

/** A number with so many digits behind the point; a dash where there is none. */
export function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

/** Columns for a console: the first flush left, the others flush right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return rows.map(line).join('\n');
}

/** The same as a Markdown table. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  const rule = rows[0]!.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n');
}
