import { whenMovedByVite } from './where-installed.ts';

/** The module that imports a script, for each script: workers are started again, and may read it late. */
const modules = new Map<string, string>();

/**
 * Starts `url` as a module worker of a browser, wherever the file lies. Works in pages and in workers, also in those that
 * were started so.
 *
 * A browser starts workers from the page's own origin alone, but a module may import from every origin that allows it
 * (CORS). So for another origin, and for a page that has none of its own, the worker is a module of one line, in a
 * Blob, that imports the file: it belongs to the page's origin, and has its storage. The import is static: no message
 * is lost while it loads. A file that cannot be loaded is told by the worker's `error` event; see `workerFailure`.
 */
export function startModuleWorker(url: string | URL, name: string): Worker {
  const address = new URL(url, location.href);
  return new Worker(isOwn(address) ? address : moduleThatImports(address.href), { type: 'module', name });
}

/** Whether a file lies on this page's own origin, so that workers may be started from it, and shared between tabs. */
export function isOwn(address: URL): boolean {
  return address.origin === self.origin && self.origin !== 'null';
}

function moduleThatImports(script: string): string {
  const known = modules.get(script);
  if (known !== undefined) return known;
  const source = `import ${JSON.stringify(script)};`;
  const module = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  modules.set(script, module);
  return module;
}

/**
 * Why a worker that was started from `url` failed, and what to do: the browser gives a `message` for an error within
 * the script, and none if it could not load it. `file` is its name in the package, `option` where a caller says its
 * address.
 */
export function workerFailure(
  url: string | URL,
  message: string | undefined,
  { file, option }: { readonly file: string; readonly option: string },
): string {
  if (message) return message;
  const address = new URL(url, location.href);
  const failed = `its script could not be loaded from ${address.href}`;
  const moved = isOwn(address) ? whenMovedByVite(address.href) : undefined;
  if (moved !== undefined) return `${failed}. ${moved}`;
  const copy = `If the bundler left the address alone, copy \`${file}\` to the page's files and name it by \`${option}\``;
  if (isOwn(address)) {
    return `${failed}. ${copy}; a Content-Security-Policy must allow it by \`worker-src 'self'\``;
  }
  const policy = `a Content-Security-Policy of the page must allow \`worker-src blob: ${address.origin}\``;
  return `${failed}, which is another origin: that must allow this one (CORS), and ${policy}. ${copy}`;
}
