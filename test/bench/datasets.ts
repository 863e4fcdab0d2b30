import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type DataSet, LIMIT } from './data-set.ts';
import { readSynthetic } from './synthetic.ts';
import { readRows, readVectors } from './vector-files.ts';

/** Queries of a set that are asked, the first ones: more would change no figure and take their time. */
const QUERIES_MAX = 500;

/** A set of `ELANUS_DATA`. Files that only exist packed are found without their `.gz`. */
interface Source {
  readonly name: string;
  readonly folder: string;
  readonly metric: 'L2' | 'COSINE';
  readonly base: string;
  readonly query: string;
  readonly truth: string;
}

const SOURCES: readonly Source[] = [
  {
    name: 'siftsmall',
    folder: 'siftsmall',
    metric: 'L2',
    base: 'siftsmall_base.fvecs',
    query: 'siftsmall_query.fvecs',
    truth: 'siftsmall_groundtruth.ivecs',
  },
  {
    name: 'glove',
    folder: 'glove-10k-100',
    metric: 'COSINE',
    base: 'base.fbin',
    query: 'query.fbin',
    truth: 'gt_cos.ibin',
  },
  {
    name: 'bge',
    folder: 'questions-bge768-splade',
    metric: 'COSINE',
    base: 'base.f16bin',
    query: 'query.f16bin',
    truth: 'gt_cos.ibin',
  },
  {
    name: 'word2vec',
    folder: 'word2vec-imdb-50k-100',
    metric: 'COSINE',
    base: 'base.f16bin',
    query: 'query.f16bin',
    truth: 'gt_cos.ibin',
  },
  {
    name: 'fashion',
    folder: 'fashion-mnist-784',
    metric: 'L2',
    base: 'base.u8bin',
    query: 'query.u8bin',
    truth: 'gt_l2.ibin',
  },
];

/** The names that `--data` takes, small sets first; `synthetic` needs no files. */
export const DATA_NAMES: readonly string[] = [...SOURCES.map(({ name }) => name), 'synthetic'];

/** Those that the bar is judged on. */
export const JUDGED_NAMES: ReadonlySet<string> = new Set(['siftsmall', 'word2vec', 'fashion', 'bge', 'synthetic']);

/** One set, or a sentence that says why it is not there. */
export async function readDataSet(name: string): Promise<DataSet | string> {
  if (name === 'synthetic') return readSynthetic();
  const source = SOURCES.find((candidate) => candidate.name === name);
  if (source === undefined) return `${name}: no such set; there are ${DATA_NAMES.join(', ')}.`;
  const data = process.env['ELANUS_DATA'];
  if (data === undefined) return `${name}: left out, because ELANUS_DATA names no folder.`;
  const folder = join(data, source.folder);
  if (!existsSync(folder)) return `${name}: left out, because ELANUS_DATA holds no ${source.folder}.`;
  const { dimension, values } = readVectors(join(folder, source.base));
  const all = readVectors(join(folder, source.query)).values;
  const queryCount = Math.min(QUERIES_MAX, all.length / dimension);
  const queries = all.slice(0, queryCount * dimension);
  return {
    name,
    metric: source.metric,
    dimension,
    size: values.length / dimension,
    rows: values,
    queries,
    queryCount,
    truth: nearest(join(folder, source.truth), queryCount),
  };
}

function nearest(path: string, queryCount: number): Int32Array {
  const { width, rows } = readRows(path);
  const truth = new Int32Array(queryCount * LIMIT);
  for (let query = 0; query < queryCount; query++) {
    truth.set(rows.subarray(query * width, query * width + LIMIT), query * LIMIT);
  }
  return truth;
}
