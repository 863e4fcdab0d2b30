import { readFileSync } from 'node:fs';
import { importPeer, peerFolder } from '../peers.ts';
import type { System } from '../system.ts';
import { buildEdgeVec, EDGEVEC_KNOBS, type EdgeVecPackage } from './edgevec-index.ts';

/** EdgeVec in Node. */
export const EDGEVEC: System = {
  name: 'edgevec',
  isSlow: true,
  knobs: EDGEVEC_KNOBS,
  async build(set) {
    const edgevec = await importPeer<EdgeVecPackage>('edgevec', 'edgevec.js');
    edgevec.initSync({ module: readFileSync(`${peerFolder('edgevec')}edgevec_bg.wasm`) });
    return buildEdgeVec(set, edgevec);
  },
};
