import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4MiniflareOptions } from 'miniflare';
import { buildWasm } from '../../wasm/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface LocalEdgeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** The folder that holds R2 and the Durable Objects; it is made if there is none. */
  readonly folder: string;
  /** The secret `ELANUS_TOKEN`; without one the instance is open. */
  readonly token?: string;
  /** The built page, served at `/`; none by default. */
  readonly page?: string;
}

export interface LocalEdge {
  readonly url: string;
  /** Stops workerd; what was acknowledged is in the folder. Idempotent. */
  stop(): Promise<void>;
}

/** A port that is in use, or that this user may not take. */
export class PortError extends Error {
  override readonly name = 'PortError';
}

/**
 * Runs the Worker on this machine as Cloudflare would: workerd itself, R2 and Durable Objects in a folder. It calls
 * nothing outside; what Miniflare would ask or tell by itself is turned off.
 *
 * Rejects with `PortError` if the port cannot be had.
 */
export async function startLocalEdge(options: LocalEdgeOptions): Promise<LocalEdge> {
  await claimPort(options.port, options.host);
  await buildWasm();
  await mkdir(options.folder, { recursive: true });
  const miniflare = new Miniflare(convertV4MiniflareOptions(await miniflareOptions(options)));
  const ready = await miniflare.ready.catch(async (error: unknown) => {
    await miniflare.dispose().catch(() => undefined);
    throw error;
  });
  let stopping: Promise<void> | undefined;
  return {
    url: ready.origin,
    stop: () => {
      stopping ??= miniflare.dispose();
      return stopping;
    },
  };
}

async function miniflareOptions(options: LocalEdgeOptions): Promise<V4MiniflareOptions> {
  const { modules } = await bundleWorker();
  return {
    ...LOCAL_WORKER,
    modules,
    modulesRoot: root,
    bindings: options.token === undefined ? {} : { ELANUS_TOKEN: options.token },
    ...(options.page === undefined || !existsSync(options.page)
      ? {}
      : {
          assets: {
            directory: options.page,
            run_worker_first: LOCAL_WORKER_FIRST,
            routerConfig: { has_user_worker: true },
          },
        }),
    host: options.host,
    port: options.port,
    resourcePersistencePath: options.folder,
    // Nothing goes out: no look-up of the request's place, no usage numbers, no registry of other local Workers.
    cf: false,
    telemetry: { enabled: false },
    unsafeObservability: false,
    unsafeLocalExplorer: false,
    logRequests: false,
    log: new Log(LogLevel.WARN),
  } as V4MiniflareOptions;
}

/**
 * What `wrangler.jsonc` says, in Miniflare's words: reading it through wrangler takes longer than all the rest of the
 * start. A test holds one against the other.
 */
export const LOCAL_WORKER = {
  name: 'elanus',
  compatibilityDate: '2026-11-01',
  r2Buckets: { OBJECTS: { id: 'elanus' } },
  durableObjects: {
    COORDINATOR: { className: 'ElanusCoordinator', useSQLite: true },
    CHANNELS: { className: 'ElanusChannel', useSQLite: true },
  },
};

/** Paths that the Worker answers though there is a page. */
export const LOCAL_WORKER_FIRST: string[] = ['/v2/*', '/health'];

interface WorkerModule {
  readonly type: 'ESModule' | 'CompiledWasm';
  readonly path: string;
  readonly contents: string | Uint8Array<ArrayBuffer>;
}

/** The Worker as modules that workerd loads: one script, and the WASM that it imports. */
async function bundleWorker(): Promise<{ modules: WorkerModule[] }> {
  const wasm = new Map<string, string>();
  const { outputFiles } = await build({
    entryPoints: [join(root, 'worker', 'index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    logLevel: 'warning',
    plugins: [
      {
        name: 'wasm-modules',
        setup({ onResolve, resolve }) {
          onResolve({ filter: /\.wasm$/ }, async ({ path, pluginData, resolveDir, kind }) => {
            if (pluginData === 'resolved') return undefined;
            const found = await resolve(path, { resolveDir, kind, pluginData: 'resolved' });
            if (found.errors.length > 0) return { errors: found.errors };
            wasm.set(basename(found.path), found.path);
            return { path: `./${basename(found.path)}`, external: true };
          });
        },
      },
    ],
  });
  const script = outputFiles[0]?.text ?? '';
  const modules: WorkerModule[] = [{ type: 'ESModule', path: join(root, 'worker.js'), contents: script }];
  for (const [name, file] of wasm) {
    modules.push({ type: 'CompiledWasm', path: join(root, name), contents: new Uint8Array(await readFile(file)) });
  }
  return { modules };
}

/** workerd says of a port that is taken only that it failed; this says which, and what to do. */
async function claimPort(port: number, host: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, exclusive: true }, resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new PortError(
        `Port ${port} is in use. Stop what listens there, or choose another: PORT=${port + 1} npm start`,
      );
    }
    if (code === 'EACCES')
      throw new PortError(`Port ${port} is not yours to take; choose one above 1023: PORT=8787 npm start`);
    throw new PortError(`Cannot listen on ${host}:${port}: ${(error as Error).message}`, { cause: error });
  }
  await new Promise((resolve) => server.close(resolve));
}
