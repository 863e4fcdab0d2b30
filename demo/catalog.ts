import type { ElanusError } from 'elanus';
import type { Elanus, Embedder, Hit } from 'elanus/browser';
import { type Product, productText } from './data/products.ts';

/** The same collection in the tab and at the edge: the code below does not know which one it has. */
export const COLLECTION = 'products';
const BATCH = 250;

export type ProductHit = Hit<Product>;

export interface Filters {
  readonly category: string;
  /** Cents; undefined means any. */
  readonly priceMax: number | undefined;
}

const OUTPUT_FIELDS = ['title', 'description', 'category', 'price', 'rating'];

/** Whether every product is there already. */
export async function isFilled(db: Elanus, count: number): Promise<boolean> {
  if (!(await db.hasCollection({ collectionName: COLLECTION }))) return false;
  return (await db.count({ collectionName: COLLECTION })) >= count;
}

/** Creates the collection and fills it; what an interrupted visit wrote is written again, under the same keys. */
export async function fill(
  db: Elanus,
  products: readonly Product[],
  embedder: Embedder,
  onProgress: (done: number) => void,
): Promise<void> {
  await db.createCollection({
    collectionName: COLLECTION,
    schema: {
      enableDynamicField: false,
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        { fieldName: 'title', dataType: 'VarChar', elementTypeParams: { max_length: 1000 } },
        { fieldName: 'description', dataType: 'VarChar', elementTypeParams: { max_length: 8000 } },
        { fieldName: 'category', dataType: 'VarChar', elementTypeParams: { max_length: 100 } },
        { fieldName: 'price', dataType: 'Int32' },
        { fieldName: 'quantity', dataType: 'Int32' },
        { fieldName: 'rating', dataType: 'Float' },
        { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: embedder.dimension } },
      ],
    },
    indexParams: [{ fieldName: 'vector', metricType: 'COSINE', indexType: 'AUTOINDEX' }],
  });
  for (let start = 0; start < products.length; start += BATCH) {
    const batch = products.slice(start, start + BATCH);
    const vectors = await embedder.embed(batch.map(productText), { kind: 'document' });
    const data = batch.map((product, at) => ({ ...product, vector: vectors[at] }));
    await db.upsert({ collectionName: COLLECTION, data });
    onProgress(start + batch.length);
  }
  await db.flush({ collectionName: COLLECTION });
}

export function filterText({ category, priceMax }: Filters): string {
  const parts = [];
  if (category !== '') parts.push('category == {category}');
  if (priceMax !== undefined) parts.push('price <= {price}');
  return parts.join(' and ');
}

/** The products nearest to a vector. */
export async function nearest(
  db: Elanus,
  vector: Float32Array,
  filters: Filters,
  options: { readonly without?: number; readonly signal?: AbortSignal },
): Promise<ProductHit[]> {
  const text = filterText(filters);
  const self = options.without === undefined ? '' : `id != ${options.without}`;
  const filter = [text, self].filter((part) => part !== '').join(' and ');
  const [hits] = await db.search(
    {
      collectionName: COLLECTION,
      data: [vector],
      limit: 24,
      filter,
      exprParams: { category: filters.category, price: filters.priceMax ?? 0 },
      outputFields: OUTPUT_FIELDS,
    },
    options.signal === undefined ? {} : { signal: options.signal },
  );
  return (hits ?? []) as unknown as ProductHit[];
}

/** The stored vector of a product. */
export async function vectorOf(db: Elanus, id: number): Promise<Float32Array | undefined> {
  const [row] = await db.get({ collectionName: COLLECTION, id, outputFields: ['vector'] });
  return row?.['vector'] as Float32Array | undefined;
}

/** What to tell a person about an error. */
export function explain(error: unknown): string {
  const { code, message } = error as Partial<ElanusError>;
  if (code === 'locked') return 'This database is open in another tab. Close that tab, then reload this one.';
  if (code === 'quota') return 'The browser gives this page no more room. Free some space, then reload.';
  return message ?? String(error);
}
