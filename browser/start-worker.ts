import { startModuleWorker, workerFailure } from '../wasm/web-worker.ts';

export { isOwn } from '../wasm/web-worker.ts';

/** What a worker that this file started is for: each runs the same file, and learns its part from its name. */
export type WorkerName = 'elanus' | 'elanus-engine';

/** Starts a worker from a script of any origin; see `startModuleWorker`. */
export function startWorker(url: string | URL, name: WorkerName): Worker {
  return startModuleWorker(url, name);
}

/** Why a worker of `url` failed, and what to do, from the `message` of its `error` event, which is empty if it never ran. */
export function whyItFailed(url: string, message: string | undefined): string {
  return workerFailure(url, message, { file: 'elanus/dist/browser/engine-worker.js', option: 'workerUrl' });
}
