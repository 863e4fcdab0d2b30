import { readFileSync } from 'node:fs';
import { compileModule } from '../../../wasm/compile.ts';
import { LIMIT, unitVectors } from '../data-set.ts';
import { importPeer, peerFolder } from '../peers.ts';
import { quietly } from '../quietly.ts';
import { inProcess, type System, secondsOf, views } from '../system.ts';

/** What this bench uses of voy-search. */
interface Voy {
  search(query: Float32Array, limit: number): { readonly neighbors: readonly { readonly id: string }[] };
  serialize(): string;
  free(): void;
}
interface VoyPackage {
  readonly Voy: { new (resource: { embeddings: readonly unknown[] }): Voy; deserialize(text: string): Voy };
  __wbg_set_wasm(exports: object): void;
}

let copies = 0;

/**
 * voy-search: an exact k-d tree by Euclidean distance, so one point and no knob. COSINE is that of vectors which were
 * brought to length 1 before. Its tree gives up on sets with many equal coordinates, such as SIFT's.
 */
export const VOY: System = {
  name: 'voy-search',
  isSlow: true,
  knobs: [0],
  async build(set) {
    // Its glue keeps views of the first memory that it sees.
    const voy = await importPeer<VoyPackage>('voy-search', 'voy_search_bg.js', copies++);
    const module = await compileModule(new Uint8Array(readFileSync(`${peerFolder('voy-search')}voy_search_bg.wasm`)));
    const instance = new WebAssembly.Instance(module, { './voy_search_bg.js': { ...voy } });
    voy.__wbg_set_wasm(instance.exports);
    const prepared = (vectors: Float32Array) =>
      views(set.metric === 'COSINE' ? unitVectors(vectors, set.dimension) : vectors, set.dimension);
    const embeddings = prepared(set.rows).map((row, id) => ({
      id: String(id),
      title: '',
      url: '',
      embeddings: Array.from(row),
    }));
    const queries = prepared(set.queries);
    let index: Voy | undefined;
    // It writes what went wrong, with a stack, to the console.
    const buildSeconds = await quietly(() =>
      secondsOf(() => {
        index = new voy.Voy({ embeddings });
      }),
    ).catch((error: unknown) => {
      throw new Error('its k-d tree gives up: too many vectors share a coordinate', { cause: error });
    });
    const search = (tree: Voy, query: number) =>
      tree.search(queries[query]!, LIMIT).neighbors.map(({ id }) => Number(id));
    return {
      ...inProcess(set, (query) => search(index!, query)),
      buildSeconds,
      memoryBytes: undefined,
      async save() {
        const text = index!.serialize();
        return {
          bytes: Buffer.byteLength(text),
          load: () =>
            secondsOf(() => {
              const other = voy.Voy.deserialize(text);
              search(other, 0);
              other.free();
            }),
          remove: async () => {},
        };
      },
      free: async () => index!.free(),
    };
  },
};
