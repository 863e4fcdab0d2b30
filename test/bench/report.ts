import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FlatShare } from './flat.ts';
import { machine } from './machine.ts';
import type { SetMeasured } from './measure.ts';
import { plot } from './plot.ts';
import { markdown, rowsOf } from './table.ts';
import { type Verdict, verdictRows } from './verdict.ts';

/** Where results go: git ignores it. */
export const RESULTS: string = fileURLToPath(new URL('results/', import.meta.url));

const FLAT_FLOOR = 0.7;
const GZIP_BYTES_MAX = 60 * 1024;

/** What the bar asks for beside the table. */
export function extraRows(flat: readonly FlatShare[], gzipBytes: number): string[] {
  return [
    ...flat.map(({ build, dimension, share }) => {
      const holds = share >= FLAT_FLOOR ? 'holds' : 'does not hold';
      return `FLAT f32, ${dimension}-d, ${build}: ${share.toFixed(2)} of the sequential read (floor ${FLAT_FLOOR}): ${holds}`;
    }),
    `WASM of both builds, gzip: ${(gzipBytes / 1024).toFixed(1)} KB (at most ${GZIP_BYTES_MAX / 1024}): ${gzipBytes <= GZIP_BYTES_MAX ? 'holds' : 'does not hold'}`,
  ];
}

/** What a run has to say. */
export interface Report {
  readonly host: string;
  readonly where: string;
  readonly measured: readonly SetMeasured[];
  readonly bar: readonly Verdict[];
  readonly extras: readonly string[];
  /** The file for the numbers; beside the rest by default. */
  readonly json: string | undefined;
}

/** Writes the tables as Markdown, the picture and the numbers, and says into which folder. */
export function writeResults({ host, where, measured, bar, extras, json }: Report): string {
  mkdirSync(RESULTS, { recursive: true });
  const name = host === 'node' ? 'bench' : `bench-${host}`;
  const sections = measured.map((set) => {
    const absent = set.absent.map(({ system, why }) => `- ${system}: absent: ${why.split('\n')[0]}`);
    const title = `## ${set.set}: ${set.size} × ${set.dimension}, ${set.metric}`;
    return [title, markdown(rowsOf(set)), ...absent].join('\n\n');
  });
  const head = [
    '# Bench',
    where,
    `![recall against QPS](${name}.svg)`,
    markdown(verdictRows(bar)),
    extras.join('\n\n'),
  ];
  writeFileSync(`${RESULTS}${name}.md`, `${[...head, ...sections].join('\n\n')}\n`);
  writeFileSync(`${RESULTS}${name}.svg`, plot(measured, where));
  const numbers = JSON.stringify({ machine: machine(), host, bar, extras, sets: measured }, undefined, 2);
  writeFileSync(json ?? `${RESULTS}${name}.json`, `${numbers}\n`);
  return RESULTS;
}
