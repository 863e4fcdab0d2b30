import { ElanusError } from '../core/base/error.ts';
import type { IndexSpec, SavedIndex, SegmentIndex } from '../core/vector/segment-index.ts';
import { FlatIndex } from './flat-index.ts';
import { HnswIndex } from './hnsw.ts';
import { WasmIvf } from './ivf.ts';
import type { KernelMemory } from './memory.ts';

/** The one place that knows which class serves which type. */
interface IndexFamily {
  new (memory: KernelMemory, spec: IndexSpec): SegmentIndex;
  /** An index from what `save` gave; throws `quota` and `corrupt`, and then nothing is left in memory. */
  load(memory: KernelMemory, saved: SavedIndex): SegmentIndex;
}

function familyOf({ type }: IndexSpec): IndexFamily {
  switch (type) {
    case 'FLAT':
      return FlatIndex;
    case 'IVF_FLAT':
    case 'IVF_SQ8':
    case 'IVF_PQ':
    case 'IVF_RABITQ':
    case 'SCANN':
      return WasmIvf;
    case 'HNSW':
    case 'HNSW_SQ8':
    case 'HNSW_SQ4':
    case 'HNSW_RABITQ':
      return HnswIndex;
    default:
      throw new ElanusError('unsupported', `Indexes of type ${type} are not there yet.`, { details: { type } });
  }
}

/** A new, empty index in this memory. `spec` has been checked. */
export function createSegmentIndex(memory: KernelMemory, spec: IndexSpec): SegmentIndex {
  return new (familyOf(spec))(memory, spec);
}

/** An index from its saved form: what `save` of the same type gave, at this or an earlier time. */
export function loadSegmentIndex(memory: KernelMemory, saved: SavedIndex): SegmentIndex {
  return familyOf(saved.spec).load(memory, saved);
}
