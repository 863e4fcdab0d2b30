import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VectorIndex } from '../../../wasm/index.ts';
import { nodeModule, WASM_BUILDS } from '../../node/kernel.ts';
import { LIMIT } from '../data-set.ts';
import { type SavedIndex, type System, secondsOf } from '../system.ts';
import { BYTES_MAX, buildElanus, type Handed, nameOf, type Setting } from './elanus-index.ts';

/** Everything that is judged, on the best build of this machine, and what the SIMD128 build is shown beside it with. */
export const SETTINGS: readonly Setting[] = WASM_BUILDS.toReversed().flatMap((build, place): Setting[] => {
  const types = ['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const;
  if (place > 0) return types.slice(0, 3).map((type) => ({ type, build, exact: 'memory' }));
  const coded = types.slice(1);
  return [
    ...types.map((type): Setting => ({ type, build, exact: 'memory' })),
    ...coded.map((type): Setting => ({ type, build, exact: 'file' })),
  ];
});

/** A setting of ours as a system of the bench. */
export function elanus(setting: Setting): System {
  return {
    name: nameOf(setting),
    isBeside: isBeside(setting),
    async build(set) {
      const module = await nodeModule(setting.build);
      const { built, index, handed } = await buildElanus(set, setting, { module });
      const query = set.queries.slice(0, set.dimension);
      return { ...built, save: () => save(index, module, query, handed) };
    },
  };
}

/** One bit with vectors in memory saves nothing; SIMD128 is shown by one code. */
function isBeside({ type, build, exact }: Setting): boolean {
  if (build === 'simd') return type === 'HNSW_SQ4';
  return type === 'HNSW_RABITQ' && exact === 'memory';
}

async function save(
  index: VectorIndex,
  module: WebAssembly.Module,
  query: Float32Array,
  handed: Handed,
): Promise<SavedIndex> {
  const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
  const path = join(folder, 'saved.elanus');
  const bytes = index.save();
  writeFileSync(path, bytes);
  return {
    bytes: bytes.byteLength,
    path,
    load: async () => {
      let loaded: VectorIndex | undefined;
      const seconds = await secondsOf(async () => {
        loaded = await VectorIndex.load(readFileSync(path), { maxBytes: BYTES_MAX, module });
        loaded.search(query, { limit: LIMIT, ef: LIMIT, ...handed });
      });
      loaded?.free();
      return seconds;
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}
