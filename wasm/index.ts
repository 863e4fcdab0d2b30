/** `elanus/vector`: the WASM core, for hosts that load the module themselves. */
export { relaxedSimdSupported } from './detect.ts';
export { createKernel, type KernelOptions } from './kernel.ts';
