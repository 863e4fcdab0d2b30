/** `elanus/vector` where nothing may be compiled at run time: both builds are imported, compiled. */
import simd from '#wasm/elanus.wasm';
import relaxed from '#wasm/elanus-relaxed.wasm';
import { provideModules } from './module.ts';

/** Half of what an isolate has for everything. */
const BYTES_MAX_DEFAULT = 64 * 1024 * 1024;

provideModules({ simd, relaxed }, BYTES_MAX_DEFAULT);

export * from './index.ts';
