import { describe } from 'vitest';
import { VectorIndex } from '../../wasm/index.ts';
import { describeVectorIndex } from '../conformance/vector-index.ts';

describe('VectorIndex in Node', () => {
  describeVectorIndex({
    create: (options) => VectorIndex.create(options),
    load: (bytes) => VectorIndex.load(bytes),
  });
});
