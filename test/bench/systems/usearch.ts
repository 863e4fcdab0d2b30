import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMIT } from '../data-set.ts';
import { importPeer } from '../peers.ts';
import { BUILD, inProcess, type System, secondsOf, views } from '../system.ts';

/** What this bench uses of usearch. */
interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(query: Float32Array, limit: number, threads: number): { keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
  view(path: string): void;
}
interface UsearchPackage {
  readonly default: { readonly Index: new (options: Readonly<Record<string, unknown>>) => UsearchIndex };
}

/**
 * usearch's addon as npm brings it, f32, compiled for several kinds of processor, of which it takes the best. How many
 * nodes a search keeps in view is fixed when an index is made: so there is one for each, over one file in the page
 * cache.
 */
export const USEARCH: System = {
  name: 'usearch',
  isBeside: true,
  async build(set) {
    const { default: usearch } = await importPeer<UsearchPackage>('usearch', 'javascript/dist/esm/usearch.js');
    const create = (ef: number) =>
      new usearch.Index({
        dimensions: set.dimension,
        metric: set.metric === 'COSINE' ? 'cos' : 'l2sq',
        quantization: 'f32',
        connectivity: BUILD.M,
        expansion_add: BUILD.efConstruction,
        expansion_search: ef,
        multi: false,
      });
    const index = create(LIMIT);
    const keys = BigUint64Array.from({ length: set.size }, (_, row) => BigInt(row));
    const buildSeconds = await secondsOf(() => index.add(keys, set.rows, 1));
    const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
    const path = join(folder, 'saved.usearch');
    index.save(path);
    const opened = new Map<number, UsearchIndex>();
    const at = (ef: number): UsearchIndex => {
      const known = opened.get(ef) ?? create(ef);
      if (!opened.has(ef)) known.view(path);
      opened.set(ef, known);
      return known;
    };
    const queries = views(set.queries, set.dimension);
    return {
      ...inProcess(set, (query, ef) => {
        const { keys } = at(ef).search(queries[query]!, LIMIT, 1);
        return Int32Array.from(keys, Number);
      }),
      buildSeconds,
      memoryBytes: undefined,
      save: async () => ({
        bytes: statSync(path).size,
        load: () =>
          secondsOf(() => {
            const other = create(LIMIT);
            other.load(path);
            other.search(queries[0]!, LIMIT, 1);
          }),
        remove: async () => rmSync(folder, { recursive: true }),
      }),
      async free() {
        opened.clear();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};
