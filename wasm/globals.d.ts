/** What this folder names of its hosts, which are browsers, Workers and Node; where only some have it, it may be absent. */

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
  const compileStreaming: ((response: Response) => Promise<Module>) | undefined;
}

interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

declare function fetch(url: string): Promise<Response>;

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  readonly href: string;
  readonly protocol: string;
}

interface ImportMeta {
  readonly url: string;
}

declare const performance: { now(): number };

declare function setTimeout(callback: () => void, ms: number): unknown;

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
}

interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

declare const MessageChannel: { new (): { readonly port1: MessagePort; readonly port2: MessagePort } } | undefined;
