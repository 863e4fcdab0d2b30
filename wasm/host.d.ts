/** What `elanus/vector` names of its hosts beside WebAssembly. Browsers, Workers and Node have it, or it may be absent. */

declare namespace WebAssembly {
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
  static createObjectURL(blob: Blob): string;
  readonly href: string;
  readonly origin: string;
}

declare class Blob {
  constructor(parts: readonly string[], options: { readonly type: string });
}

/** In browsers alone. */
declare const location: { readonly href: string };

/** In browsers alone. */
declare const self: { readonly origin: string };

interface ImportMeta {
  readonly url: string;
}

declare const performance: { now(): number };

declare function setTimeout(callback: () => void, ms: number): unknown;

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class Worker {
  constructor(url: string | URL, options: { type: 'module'; name: string });
  addEventListener(type: 'error' | 'messageerror', listener: (event: { readonly message: string }) => void): void;
  terminate(): void;
}

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
