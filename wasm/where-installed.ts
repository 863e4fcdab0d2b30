/**
 * Where a file of this package is served. Before version 8, Vite's development server moves the code of packages into
 * `node_modules/.vite/`, and leaves the files beside it: an address from `new URL('…', import.meta.url)` then points to
 * where they are not. It serves them where they are installed, which this says; any other address comes back as it is.
 */
export function whereInstalled(url: URL, folder: 'browser' | 'wasm'): URL {
  const [, above, name] = /^(.*\/node_modules\/)\.vite\/(?:.*\/)?([^/]+)$/.exec(url.href) ?? [];
  // The exact names: those of files that a bundler has copied hold a hash.
  if (above === undefined || name === undefined || !FILES.includes(name)) return url;
  return new URL(`${above}elanus/dist/${folder}/${name}`);
}

const FILES: readonly string[] = ['engine-worker.js', 'vector-worker.js', 'elanus.wasm', 'elanus-relaxed.wasm'];

/** What to do about an address in an installed package that nothing serves: Vite may serve the project's own packages alone. */
export function whenMovedByVite(url: string): string | undefined {
  if (!/\/node_modules\/(\.vite|elanus)\//.test(url)) return undefined;
  return "In Vite, set `optimizeDeps: { exclude: ['elanus'] }` in its configuration: its optimizer moves the code away from its files";
}
