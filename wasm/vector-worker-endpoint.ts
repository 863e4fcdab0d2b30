import type { Endpoint } from 'comlink';
import { startModuleWorker, workerFailure } from './web-worker.ts';
import { whereInstalled } from './where-installed.ts';

/** A worker that was started, and the way to it. */
export interface StartedWorker {
  readonly endpoint: Endpoint;
  /** Rejects if the worker dies, and never resolves. */
  readonly died: Promise<never>;
  terminate(): void;
}

/** Node's port, as far as it is used here. */
interface NodePort {
  postMessage(message: unknown, transfer?: unknown): void;
  on(event: string, listener: (data: never) => void): void;
  off(event: string, listener: (data: never) => void): void;
  terminate?(): unknown;
  start?(): void;
  unref?(): void;
}

interface NodeThreads {
  readonly parentPort: NodePort | null;
  readonly Worker: new (url: URL) => NodePort;
}

/** Starts a worker with `vector-worker.js`: of `worker_threads` in Node, of the web elsewhere. */
export function startWorker(workerUrl: string | URL | undefined): StartedWorker {
  const threads = nodeThreads();
  return threads === undefined ? startWebWorker(workerUrl) : startNodeWorker(threads, workerUrl);
}

/** The way back, from within the worker. */
export function workerEndpoint(): Endpoint {
  const port = nodeThreads()?.parentPort;
  return port ? nodeEndpoint(port) : (globalThis as unknown as Endpoint);
}

function startWebWorker(workerUrl: string | URL | undefined): StartedWorker {
  // Bundlers recognise exactly `new URL('…', import.meta.url)`, copy the file and put its address in.
  const url = workerUrl ?? whereInstalled(new URL('./vector-worker.js', import.meta.url), 'wasm');
  const worker = startModuleWorker(url, 'elanus-vector');
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener('error', ({ message }) => {
      const named = { file: 'elanus/dist/wasm/vector-worker.js', option: 'workerUrl' };
      reject(new Error(workerFailure(url, message, named)));
    });
    worker.addEventListener('messageerror', () => reject(new Error('a message could not be read')));
  });
  return { endpoint: worker as unknown as Endpoint, died, terminate: () => worker.terminate() };
}

function startNodeWorker({ Worker: NodeWorker }: NodeThreads, workerUrl: string | URL | undefined): StartedWorker {
  // Run from its sources, the package has no bundle; Node reads the entry itself.
  const isSource = import.meta.url.endsWith('.ts');
  const file = isSource ? './vector-worker-entry.ts' : './vector-worker.js';
  const worker = new NodeWorker(new URL(workerUrl ?? file, import.meta.url));
  const died = new Promise<never>((_, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('it ended')));
  });
  return { endpoint: nodeEndpoint(worker), died, terminate: () => void worker.terminate?.() };
}

/** Comlink speaks as the web does: listeners take events. */
function nodeEndpoint(port: NodePort): Endpoint {
  type Listener = Parameters<Endpoint['addEventListener']>[1];
  const wrapped = new Map<Listener, (data: never) => void>();
  return {
    postMessage: (message: unknown, transfer?: unknown) => port.postMessage(message, transfer),
    addEventListener: (_: string, listener: Listener) => {
      const wrap = (data: never): void => {
        const event = { data } as never;
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      wrapped.set(listener, wrap);
      port.on('message', wrap);
    },
    removeEventListener: (_: string, listener: Listener) => {
      const wrap = wrapped.get(listener);
      if (wrap !== undefined) port.off('message', wrap);
      wrapped.delete(listener);
    },
    start: () => port.start?.(),
  };
}

/** Without an import that a bundler for pages would follow. */
function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.('node:worker_threads') as NodeThreads | undefined;
}
