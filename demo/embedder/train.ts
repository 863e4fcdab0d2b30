/// <reference types="node" />
/**
 * Trains the page's embedding model on the shop's products: `node demo/embedder/train.ts [output file]`. The build of
 * the page calls it; nothing is fetched, and the same products give the same file. Without an argument the file goes
 * where `load.ts` expects it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { productText, readProducts } from '../data/products.ts';
import { trainModel } from './training.ts';

const output = process.argv[2] ?? fileURLToPath(new URL('model.bin', import.meta.url));
const packed = readFileSync(new URL('../data/products.json.gz', import.meta.url));
const products = await readProducts(new Uint8Array(packed));
const model = trainModel(products.map(productText));
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, model);
process.stdout.write(`${output}: ${model.length} bytes, trained on ${products.length} products.\n`);
