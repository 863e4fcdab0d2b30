/** `elanus/vector`: the WASM core, for hosts that load the module themselves. */
export { compileModule } from './compile.ts';
export { relaxedSimdSupported } from './detect.ts';
export { createKernel, type KernelOptions } from './kernel.ts';
