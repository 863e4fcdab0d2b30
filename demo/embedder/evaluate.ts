/// <reference types="node" />
/**
 * How well the embedder's method finds what is relevant: it is trained on each set's own documents and asked its
 * queries. `[ELANUS_DATA=<folder>] node demo/embedder/evaluate.ts [--variants]`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JudgedSet, measureQuality, readJudgedSet, readProductSet } from './judged-set.ts';
import type { TrainingOptions } from './training.ts';

const VARIANTS: Readonly<Record<string, TrainingOptions>> = {
  'as shipped': {},
  'topics alone (plain LSA)': { spellingShare: 0 },
  'spelling alone (hashed words)': { topicDimension: 1, spellingShare: 1000 },
  'spelling share 0.5': { spellingShare: 0.5 },
  'spelling share 1': { spellingShare: 1 },
  '64 spelling dimensions': { spellingDimension: 64 },
  '256 spelling dimensions': { spellingDimension: 256 },
  '96 topics': { topicDimension: 96 },
  '192 topics': { topicDimension: 192 },
  'title counts once': { titleWeight: 1 },
  'title counts three times': { titleWeight: 3 },
  'rows not normalised': { normalize: false },
  'lengths as decomposed': { lengthExponent: 1 },
  'lengths all alike': { lengthExponent: 0 },
  'vectors from 3 documents': { vectorDocumentsMin: 3 },
  'seed 2': { seed: 2 },
};

async function report(name: string, set: JudgedSet, variants: typeof VARIANTS): Promise<void> {
  print(`\n${name}: ${set.documents.length} documents, ${set.queries.length} queries`);
  for (const [label, options] of Object.entries(variants)) {
    const { ndcg10, map, mrr10, bytes } = await measureQuality(set, options);
    const numbers = `nDCG@10 ${ndcg10.toFixed(4)}  MAP ${map.toFixed(4)}  MRR@10 ${mrr10.toFixed(4)}`;
    print(`  ${label.padEnd(30)} ${numbers}  ${bytes} bytes`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const variants = process.argv.includes('--variants') ? VARIANTS : { 'as shipped': {} };
await report('products', await readProductSet(), variants);
for (const name of ['ir-cranfield', 'ir-cisi', 'ir-adi']) {
  const set = readJudgedSet(name);
  if (set === undefined) {
    print(`\n${name}: skipped; set ELANUS_DATA to the folder that holds it.`);
    continue;
  }
  await report(name, set, variants);
  const baselines = JSON.parse(
    readFileSync(join(process.env['ELANUS_DATA'] ?? '', name, 'baselines.json'), 'utf8'),
  ) as {
    readonly ndcg10_map_r100: Readonly<Record<string, readonly number[]>>;
  };
  for (const [method, [ndcg10, map]] of Object.entries(baselines.ndcg10_map_r100)) {
    print(`  ${`baseline ${method}`.padEnd(30)} nDCG@10 ${ndcg10?.toFixed(4)}  MAP ${map?.toFixed(4)}`);
  }
}
