import type { Purpose } from '../storage/reserve-store.ts';
import { FRAME_HEADER_BYTES } from '../wal/frame.ts';

const FRAME = /^wal\/.+\/[0-9a-f]{14}\/[0-9a-f]{14}$/;

/**
 * What an object is for: frames of the log and objects of segments hold rows; the catalog, metas, manifests, counters,
 * roots and fences are what dropping a collection needs. A fence is a frame's header and nothing more.
 */
export function writePurpose(key: string, bytes: Uint8Array): Purpose {
  if (key.includes('/segments/')) return 'rows';
  return FRAME.test(key) && bytes.byteLength > FRAME_HEADER_BYTES ? 'rows' : 'bookkeeping';
}
