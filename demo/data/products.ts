/** One product of the demo's shop. */
export interface Product {
  readonly id: number;
  readonly title: string;
  /** One or a few sentences; never empty. */
  readonly description: string;
  readonly category: string;
  /** In US cents. Prices that the source did not know are made up by it (see README.md beside this file). */
  readonly price: number;
  /** Pieces in stock. */
  readonly quantity: number;
  /** Average of the buyers' ratings, 1 to 5. */
  readonly rating: number;
}

/** How `products.json.gz` holds them: one array for each field, the i-th of each is one product. Columns compress better. */
export interface ProductColumns {
  readonly id: readonly number[];
  readonly title: readonly string[];
  readonly description: readonly string[];
  /** An index into `categories`. */
  readonly category: readonly number[];
  readonly price: readonly number[];
  readonly quantity: readonly number[];
  readonly rating: readonly number[];
  readonly categories: readonly string[];
}

/** Fetches the products from beside the page. */
export async function loadProducts(): Promise<Product[]> {
  const url = new URL('./products.json.gz', import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The products did not load from ${url.pathname}: status ${response.status}.`);
  return readProducts(new Uint8Array(await response.arrayBuffer()));
}

/**
 * The products in the bytes of `products.json.gz`, in the order of the file.
 *
 * A server that marks the file `Content-Encoding: gzip` makes the browser unpack it on the way; so the bytes may be the
 * JSON itself too. Which one it is shows in their first two bytes.
 */
export async function readProducts(bytes: Uint8Array<ArrayBuffer>): Promise<Product[]> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const body = new Response(bytes).body;
  if (body === null) throw new Error('The file of products is empty.');
  const json = packed ? body.pipeThrough(new DecompressionStream('gzip')) : body;
  return toProducts((await new Response(json).json()) as ProductColumns);
}

/** Turns the columns into products; throws if they differ in length or lack a category. */
export function toProducts(columns: ProductColumns): Product[] {
  return columns.id.map((id, row) => ({
    id,
    title: cell(columns, 'title', row),
    description: cell(columns, 'description', row),
    category: categoryOf(columns, row),
    price: cell(columns, 'price', row),
    quantity: cell(columns, 'quantity', row),
    rating: cell(columns, 'rating', row),
  }));
}

/**
 * The text of a product that is embedded and searched: title, line break, description. The embedder counts the first
 * line of a document more than the rest, so the order matters.
 */
export function productText(product: Pick<Product, 'title' | 'description'>): string {
  return `${product.title}\n${product.description}`;
}

function cell<Name extends 'title' | 'description' | 'price' | 'quantity' | 'rating'>(
  columns: ProductColumns,
  name: Name,
  row: number,
): ProductColumns[Name][number] {
  const value = columns[name][row];
  if (value === undefined) throw new Error(`The file of products is damaged: row ${row} has no ${name}.`);
  return value;
}

function categoryOf(columns: ProductColumns, row: number): string {
  const name = columns.categories[columns.category[row] ?? -1];
  if (name === undefined) throw new Error(`The file of products is damaged: row ${row} has no category.`);
  return name;
}
