declare global {
  // Not every library of types has it that has what is else needed: those of Node 24 do not.
  namespace WebAssembly {
    interface Module {
      readonly [Symbol.toStringTag]?: string;
    }
  }
}

/**
 * Compiles a module from its bytes, for hosts that have the file: Node, and browsers that do not stream it. Workers
 * refuse to compile at run time, and import the `.wasm` file instead.
 */
export function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes);
}
