import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves folders, the first that has the file; nothing else, and no header that isolates origins. */
export function serveFolders(...folders: readonly string[]): Promise<PageServer> {
  return serveFoldersWith({}, ...folders);
}

/** As `serveFolders`, with more headers on every answer. */
export function serveFoldersWith(
  headers: Readonly<Record<string, string>>,
  ...folders: readonly string[]
): Promise<PageServer> {
  return serve({ headers, host: '127.0.0.1' }, folders);
}

async function serve(
  { headers, host }: { readonly headers: Readonly<Record<string, string>>; readonly host: string },
  folders: readonly string[],
): Promise<PageServer> {
  const server: Server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    const name = path.endsWith('/') ? `${path}index.html` : path;
    const file = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { origin: `http://${host}:${port}`, close, [Symbol.asyncDispose]: close };
}

/**
 * A page with `elanus` on `window`, made from the sources: `elanus.openHere(name, options?)`.
 *
 * @param beforeWorker code that runs in every worker of Elanus before its own
 * @param host the address: an origin that is not loopback is insecure
 */
export async function serveEnginePage(beforeWorker = '', host = '127.0.0.1'): Promise<PageServer> {
  const folder = await mkdtemp(join(tmpdir(), 'elanus-page-'));
  const entry = `
    import { open } from ${JSON.stringify(join(root, 'browser', 'index.ts'))};
    import { connect } from ${JSON.stringify(join(root, 'core', 'client', 'index.ts'))};
    const openHere = (name, options = {}) => open({ name, workerUrl: '/engine-worker.js', wasmUrl: '/wasm/', ...options });
    window.elanus = { openHere, connect };
    document.title = 'ready';`;
  const common = { bundle: true, format: 'esm', target: 'es2024', absWorkingDir: root, logLevel: 'warning' } as const;
  await build({
    ...common,
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    outfile: join(folder, 'page.js'),
  });
  await build({
    ...common,
    entryPoints: [join(root, 'browser', 'engine-entry.ts')],
    banner: { js: beforeWorker },
    outfile: join(folder, 'engine-worker.js'),
  });
  const opener = `
    import { open } from ${JSON.stringify(join(root, 'browser', 'index.ts'))};
    let opening;
    addEventListener('message', async ({ data: [name, method, body] }) => {
      opening ??= open({ name, workerUrl: '/engine-worker.js', wasmUrl: '/wasm/' });
      postMessage(await (await opening)[method](body));
    });`;
  await build({
    ...common,
    stdin: { contents: opener, resolveDir: root, loader: 'ts' },
    outfile: join(folder, 'opener-worker.js'),
  });
  await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="/page.js"></script>');
  return serve({ headers: {}, host }, [folder, join(root, 'dist')]);
}
