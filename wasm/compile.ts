/**
 * Compiles a module from its bytes, for hosts that have the file: Node, and browsers that do not stream it. Workers
 * refuse to compile at run time, and import the `.wasm` file instead.
 */
export function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes);
}
