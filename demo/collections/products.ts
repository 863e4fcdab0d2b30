import type { CreateCollectionBody, Elanus, Embedder } from 'elanus/browser';
import { type Product, productText } from '../data/products.ts';
import type { TextClient } from '../text/text-client.ts';
import { type CollectionProfile, PROFILE_PROPERTY, profileOf, VECTOR_FIELD } from './profile.ts';

/** The same collection in the tab and at the edge: what searches it does not know which one it has. */
export const PRODUCTS = 'products';
const BATCH = 250;
const PRICE_STEPS = 100;

/** Creates and fills the collection of products unless all of them are there. */
export async function fillProducts(
  db: Elanus,
  text: TextClient,
  embedder: Embedder,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { total } = await text.products(0, 0);
  if (await isFilled(db, total)) return;
  const { products } = await text.products(0, total);
  await db.createCollection(createBody(products, embedder.dimension));
  for (let start = 0; start < total; start += BATCH) {
    const batch = products.slice(start, start + BATCH);
    const vectors = await embedder.embed(batch.map(productText), { kind: 'document' });
    // What an interrupted visit wrote is written again, under the same keys.
    const data = batch.map((product, at) => ({ ...product, [VECTOR_FIELD]: vectors[at] }));
    await db.upsert({ collectionName: PRODUCTS, data });
    onProgress(start + batch.length, total);
  }
  await db.flush({ collectionName: PRODUCTS });
}

/** Whether all are there. A collection that an older version of this page left is dropped: it lacks what the page asks for. */
async function isFilled(db: Elanus, total: number): Promise<boolean> {
  const place = { collectionName: PRODUCTS };
  if (!(await db.hasCollection(place))) return false;
  if (profileOf(await db.describeCollection(place)) === undefined) {
    await db.dropCollection(place);
    return false;
  }
  return (await db.count(place)) >= total;
}

function createBody(products: readonly Product[], dimension: number): CreateCollectionBody {
  const text = (fieldName: string, bytes: number) => ({
    fieldName,
    dataType: 'VarChar',
    elementTypeParams: { max_length: bytes },
  });
  return {
    collectionName: PRODUCTS,
    schema: {
      enableDynamicField: false,
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        text('title', 1000),
        text('description', 8000),
        text('category', 100),
        { fieldName: 'price', dataType: 'Int32' },
        { fieldName: 'quantity', dataType: 'Int32' },
        { fieldName: 'rating', dataType: 'Float' },
        { fieldName: VECTOR_FIELD, dataType: 'FloatVector', elementTypeParams: { dim: dimension } },
      ],
    },
    indexParams: [{ fieldName: VECTOR_FIELD, metricType: 'COSINE', indexType: 'AUTOINDEX' }],
    properties: { [PROFILE_PROPERTY]: JSON.stringify(productsProfile(products)) },
  };
}

function productsProfile(products: readonly Product[]): CollectionProfile {
  const prices = products.map(({ price }) => price).sort((a, b) => a - b);
  const stepOf = (step: number): number => prices[Math.floor((step / PRICE_STEPS) * (prices.length - 1))] ?? 0;
  return {
    label: 'Products',
    rows: products.length,
    key: 'id',
    title: 'title',
    text: 'description',
    shown: [
      { field: 'price', label: 'price', as: 'price' },
      { field: 'category', label: 'category', as: 'tag' },
      { field: 'rating', label: 'rating', as: 'stars' },
    ],
    facets: [
      {
        kind: 'choice',
        field: 'category',
        label: 'Category',
        choices: [...new Set(products.map(({ category }) => category))].sort(),
      },
      {
        kind: 'price',
        field: 'price',
        label: 'Up to',
        steps: Array.from({ length: PRICE_STEPS }, (_, at) => stepOf(at)),
      },
    ],
    embedder: { kind: 'own' },
  };
}
