/** What a worker that this file started is for: each runs the same file, and learns its part from its name. */
export type WorkerName = 'elanus' | 'elanus-engine';

const modules = new Map<string, string>();

/**
 * Starts a worker from a script of any origin. Browsers refuse a worker whose script lies on another origin, but a
 * module of one's own may import it: so that script must be served with CORS, and a Content-Security-Policy must allow
 * `worker-src blob:`. Works in pages and in workers, those that were started like this too.
 */
export function startWorker(url: string | URL, name: WorkerName): Worker {
  const address = new URL(url, location.href);
  return new Worker(isOwn(address) ? address : moduleThatImports(address.href), { type: 'module', name });
}

/** Whether a script lies on this page's origin, so that workers of it may be started, and shared between tabs. */
export function isOwn(address: URL): boolean {
  return address.origin === globalThis.origin;
}

/** One blob for each script: a worker may read it long after its start was asked for, so it is never revoked. */
function moduleThatImports(script: string): string {
  const known = modules.get(script);
  if (known !== undefined) return known;
  const source = `import ${JSON.stringify(script)};`;
  const module = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  modules.set(script, module);
  return module;
}
