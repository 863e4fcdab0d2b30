/** How a page of the matrix is written; by default as a bundler wants it. */
export interface PageOptions {
  /** What `elanus/browser` is imported from. */
  readonly browser?: string;
  /** What `elanus/vector` is imported from. */
  readonly vector?: string;
  /** More options of `open`, as code. */
  readonly openOptions?: string;
  /** More options of `VectorIndex.createInWorker`, as code. */
  readonly workerOptions?: string;
  /** More options of `VectorIndex.create`, as code. */
  readonly indexOptions?: string;
}

/** What the page leaves in `globalThis.found`. */
export interface Found {
  readonly hits: readonly unknown[];
  readonly near: readonly number[];
  readonly storage: string;
  /** Whether this visit had to make the collection. */
  readonly isFirst: boolean;
  readonly isIsolated: boolean;
}

/**
 * A module that does what a page does with the package: it opens a database, fills it if it is empty, searches, and
 * searches an index without a database, here and in a worker. `globalThis.db` stays open; a failure is in
 * `globalThis.failed`.
 */
export function pageProgram(options: PageOptions = {}): string {
  const { browser = 'elanus/browser', vector = 'elanus/vector' } = options;
  const { openOptions = '', workerOptions = '', indexOptions = '' } = options;
  return `
    import { open } from '${browser}';
    import { VectorIndex } from '${vector}';

    export async function visit() {
      try {
        Object.assign(globalThis, { found: await searchAll() });
      } catch (error) {
        Object.assign(globalThis, { failed: String(error && error.code) + ': ' + String(error && error.message) });
      }
    }

    async function searchAll() {
      const db = await open({ name: 'matrix', ${openOptions} });
      Object.assign(globalThis, { db });
      const isFirst = !(await db.hasCollection({ collectionName: 'docs' }));
      if (isFirst) {
        await db.createCollection({ collectionName: 'docs', dimension: 3 });
        await db.insert({ collectionName: 'docs', data: [
          { id: 1, vector: [1, 0, 0], color: 'red' },
          { id: 2, vector: new Float32Array([0, 1, 0]), color: 'blue' },
        ] });
      }
      const [hits] = await db.search({ collectionName: 'docs', data: [[0, 1, 0]], limit: 1, outputFields: ['color'] });
      const { storage } = await db.info();
      const common = { type: 'HNSW_SQ8', metric: 'L2', dimension: 2 };
      const near = [];
      const here = await VectorIndex.create({ ...common, ${indexOptions} });
      const there = await VectorIndex.createInWorker({ ...common, ${workerOptions} });
      for (const index of [here, there]) {
        await index.add(new Float32Array([1, 0, 0, 1]));
        await index.build();
        near.push((await index.search(new Float32Array([0, 1]), { limit: 1 })).ids[0]);
        index.free();
      }
      return { hits, near, storage, isFirst, isIsolated: globalThis.crossOriginIsolated };
    }
  `;
}

/** A main module: the program, run. */
export function mainModule(options: PageOptions = {}): string {
  return `${pageProgram(options)}\nvisit();\n`;
}

/** A page that loads one module. */
export function pageHtml(script = './main.js'): string {
  return `<!doctype html><title>Elanus</title><script type="module" src="${script}"></script>`;
}
