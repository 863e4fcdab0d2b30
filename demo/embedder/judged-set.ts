/// <reference types="node" />
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { HeldOut } from '../data/make.ts';
import { productText, readProducts } from '../data/products.ts';
import { loadEmbedder } from './embedder.ts';
import { averagePrecision, mean, ndcg10, type Relevance, rank, reciprocalRank10 } from './metrics.ts';
import { type TrainingOptions, trainModel } from './training.ts';

/** Documents, queries, and which documents answer which query. */
export interface JudgedSet {
  readonly documents: readonly string[];
  readonly queries: readonly { readonly text: string; readonly relevance: Relevance }[];
}

/** Means over the queries of a set. */
export interface Quality {
  readonly ndcg10: number;
  readonly map: number;
  readonly mrr10: number;
}

interface SourceText {
  readonly _id: string;
  readonly title?: string;
  readonly text: string;
}

/** A set such as `ir-cranfield` of the folder `ELANUS_DATA`; `undefined` where that is not set or lacks it. */
export function readJudgedSet(name: string): JudgedSet | undefined {
  const root = process.env['ELANUS_DATA'];
  if (root === undefined || !existsSync(join(root, name, 'qrels.tsv'))) return undefined;
  const lines = (file: string): SourceText[] =>
    gunzipSync(readFileSync(join(root, name, file)))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as SourceText);
  const documents = lines('corpus.jsonl.gz');
  const rowById = new Map(documents.map(({ _id }, row) => [_id, row]));
  const grades = new Map<string, Map<number, number>>();
  for (const line of readFileSync(join(root, name, 'qrels.tsv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)) {
    const [query = '', document = '', grade = '0'] = line.split('\t');
    const row = rowById.get(document);
    if (row === undefined || Number(grade) <= 0) continue;
    grades.set(query, (grades.get(query) ?? new Map<number, number>()).set(row, Number(grade)));
  }
  return {
    documents: documents.map(({ title = '', text }) => `${title}\n${text}`),
    queries: lines('queries.jsonl.gz').flatMap(({ _id, text }) => {
      const relevance = grades.get(_id);
      return relevance === undefined ? [] : [{ text, relevance }];
    }),
  };
}

/**
 * The demo's products, and as queries the headings that were taken off their descriptions and share few words with the
 * title: each was written for one product, and the model has not seen it. Harder than real queries, since the one
 * product must be found among its likes.
 */
export async function readProductSet(): Promise<JudgedSet> {
  const bytes = new Uint8Array(readFileSync(new URL('../data/products.json.gz', import.meta.url)));
  const products = await readProducts(bytes);
  const heldOut = JSON.parse(readFileSync(new URL('../data/held-out.json', import.meta.url), 'utf8')) as HeldOut[];
  const rowById = new Map(products.map(({ id }, row) => [id, row]));
  return {
    documents: products.map(productText),
    queries: heldOut.map(({ id, query }) => ({ text: query, relevance: new Map([[rowById.get(id) ?? -1, 1]]) })),
  };
}

/** Trains a model on the set's own documents and ranks them for each of its queries. */
export async function measureQuality(
  set: JudgedSet,
  options: TrainingOptions = {},
): Promise<Quality & { readonly bytes: number }> {
  const model = trainModel(set.documents, options);
  return { bytes: model.length, ...(await measureModel(set, model)) };
}

/** Ranks a set's documents with a model. */
export async function measureModel(set: JudgedSet, model: Uint8Array): Promise<Quality> {
  const embedder = loadEmbedder(model);
  const documents = await embedder.embed(set.documents, { kind: 'document' });
  const queries = await embedder.embed(
    set.queries.map(({ text }) => text),
    { kind: 'query' },
  );
  const rankings = queries.map((query) => rank(query, documents));
  const over = (measure: (ranking: readonly number[], relevance: Relevance) => number): number =>
    mean(rankings.map((ranking, index) => measure(ranking, set.queries[index]?.relevance ?? new Map())));
  return { ndcg10: over(ndcg10), map: over(averagePrecision), mrr10: over(reciprocalRank10) };
}
