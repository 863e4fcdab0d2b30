/** The part of WebAssembly's JavaScript interface that this folder uses; browsers, Workers and Node all have it. */

declare namespace WebAssembly {
  /** Compiled code. On Workers it comes from an import of the `.wasm` file, elsewhere from `compile`. */
  interface Module {
    readonly [Symbol.toStringTag]?: string;
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    /** Another object after each growth; the one before is detached then. */
    readonly buffer: ArrayBuffer;
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }

  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
}
