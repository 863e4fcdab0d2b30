/** What the module exports of the inverted file; `wasm/ivf-exports.ts` describes each. */
export {
  ivfAnd, ivfCount, ivfFree, ivfNormalize, ivfOpen, ivfReserve, ivfRowAddress, ivfRowShift, ivfTrim, ivfUnlist,
  ivfWorkBytes,
} from './ivf';
export {
  ivfAssign, ivfAssignSample, ivfCentroidBytes, ivfEncodeSample, ivfMean, ivfMoveCentroids,
} from './ivf-centroids';
export { ivfFill, ivfListBytes, ivfSort } from './ivf-lists';
export { ivfProbeBytes, ivfSearch } from './ivf-search';
export { ivfBookBytes, ivfTrainBytes, ivfTrainPart } from './pq';
export { ivfCursorGather, ivfCursorNextCount, ivfCursorOpen, ivfCursorTake } from './ivf-cursor';
