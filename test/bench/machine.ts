import { cpus, loadavg } from 'node:os';
import { gzipSync } from 'node:zlib';
import { readWasm } from '../../wasm/build.ts';

/** Where and when something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly date: string;
  readonly command: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
  };
}

/** A warning, if others are using the machine. */
export function busyWarning(): string | undefined {
  const load = loadavg()[0]!;
  return load < 0.7 ? undefined : `The machine is busy (load ${load.toFixed(1)}): absolute numbers will be low.`;
}

/** Bytes of both builds of the core, gzipped. */
export async function wasmGzipBytes(): Promise<number> {
  const modules = await Promise.all([readWasm('elanus.wasm'), readWasm('elanus-relaxed.wasm')]);
  return modules.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).byteLength, 0);
}
