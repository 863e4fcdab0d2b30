/// <reference path="../../wasm/globals.d.ts" />
import type { Compiler } from '../../wasm/build.ts';
import { compileModule } from '../../wasm/compile.ts';

/** Loads every 16 bytes, into eight sums that wait for nothing but the memory. */
const SOURCE = `
export function read(start: u32, end: u32): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (; start < end; start += 128) {
    a = v128.xor(a, v128.load(start));
    b = v128.xor(b, v128.load(start, 16));
    c = v128.xor(c, v128.load(start, 32));
    d = v128.xor(d, v128.load(start, 48));
    e = v128.xor(e, v128.load(start, 64));
    f = v128.xor(f, v128.load(start, 80));
    g = v128.xor(g, v128.load(start, 96));
    h = v128.xor(h, v128.load(start, 112));
  }
  const all = v128.xor(v128.xor(v128.xor(a, b), v128.xor(c, d)), v128.xor(v128.xor(e, f), v128.xor(g, h)));
  return i32x4.extract_lane(all, 0) ^ i32x4.extract_lane(all, 1) ^ i32x4.extract_lane(all, 2) ^ i32x4.extract_lane(all, 3);
}`;

/** A WASM loop that reads `bytes` of memory in order: what one thread can get. */
export async function sequentialRead(bytes: number): Promise<() => void> {
  const compiler: string = 'assemblyscript/asc';
  const { main } = (await import(compiler)) as Compiler;
  let compiled: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await main(
    ['bandwidth.ts', '--runtime', 'stub', '-O3', '--enable', 'simd', '--importMemory', '--outFile', 'bandwidth.wasm'],
    {
      readFile: (name: string) => (name === 'bandwidth.ts' ? SOURCE : null),
      writeFile: (_name: string, contents: string | Uint8Array) => {
        if (typeof contents !== 'string') compiled = new Uint8Array(contents);
      },
      listFiles: () => null,
    },
  );
  if (error !== null || compiled === undefined) throw new Error(`asc: ${stderr.toString()}`, { cause: error });
  const memory = new WebAssembly.Memory({ initial: bytes / 65_536 + 1 });
  const instance = new WebAssembly.Instance(await compileModule(compiled), { env: { memory } });
  const read = instance.exports['read'] as (start: number, end: number) => number;
  // Pages that were never written are all the same page of zeros, and stay in the cache.
  new Uint32Array(memory.buffer).fill(0x9e3779b9);
  return () => {
    read(65_536, 65_536 + bytes);
  };
}
