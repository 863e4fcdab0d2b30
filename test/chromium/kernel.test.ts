import { describe, expect, it } from 'vitest';
import { createKernel, relaxedSimdSupported } from '../../wasm/index.ts';

describe('the WASM core in Chromium', () => {
  it('runs both builds, streamed from their addresses', async () => {
    expect(relaxedSimdSupported()).toBe(true);
    for (const name of ['elanus.wasm', 'elanus-relaxed.wasm']) {
      const module = await WebAssembly.compileStreaming(fetch(`/dist/wasm/${name}`));
      const kernel = createKernel(module, { bytesMax: 16 * 1024 * 1024 });
      using flat = kernel.flat(3, 'L2');
      flat.append(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
      const found = flat.search(Float32Array.of(0, 1, 0.25), 2);
      expect([...found.rows]).toEqual([1, 2]);
      expect([...found.distances]).toEqual([0.0625, 1.5625]);
    }
  });
});
