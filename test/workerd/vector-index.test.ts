import { describe, expect, it } from 'vitest';
import { VectorIndex, VectorMemory } from '../../wasm/workerd.ts';
import { describeVectorIndex } from '../conformance/vector-index.ts';

// Modules are imported, and no clock runs while code does.
describe('VectorIndex in workerd', () => {
  describeVectorIndex({
    create: (options) => VectorIndex.create(options),
    load: (bytes) => VectorIndex.load(bytes),
  });

  it('leaves half of an isolate to others', async () => {
    expect((await VectorMemory.create()).maxBytes).toBe(64 * 1024 * 1024);
  });
});
