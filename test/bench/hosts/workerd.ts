import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4MiniflareOptions } from 'miniflare';
import { buildWasm } from '../../../wasm/build.ts';
import type { DataSet } from '../data-set.ts';
import type { System } from '../system.ts';
import { SETTINGS } from '../systems/elanus.ts';
import { nameOf } from '../systems/elanus-index.ts';
import { type Ask, remoteSystem } from './remote.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Ours in workerd, as Cloudflare runs it, but for its limits of time and memory. Stopped by `close`. */
export class WorkerdHost {
  readonly systems: readonly System[];
  readonly #miniflare: Miniflare;

  constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare;
    const ask: Ask = (request) => this.#post('ask', JSON.stringify(request), {});
    const here = SETTINGS.filter(({ exact }) => exact === 'memory');
    this.systems = here.map((setting) => remoteSystem({ name: nameOf(setting) }, ask, { isTimedHere: true }));
  }

  static async start(): Promise<WorkerdHost> {
    await buildWasm();
    const script = `
      import simd from './dist/wasm/elanus.wasm';
      import relaxed from './dist/wasm/elanus-relaxed.wasm';
      import { serveBench } from './test/bench/hosts/workerd-worker.ts';
      export default { fetch: serveBench({ simd, relaxed }, ${JSON.stringify(SETTINGS)}) };`;
    const { outputFiles } = await build({
      stdin: { contents: script, resolveDir: ROOT, loader: 'ts' },
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2024',
      external: ['*.wasm'],
      logLevel: 'warning',
    });
    const modules = [
      { type: 'ESModule', path: join(ROOT, 'worker.js'), contents: outputFiles[0]?.text ?? '' },
      ...(await Promise.all(
        ['dist/wasm/elanus.wasm', 'dist/wasm/elanus-relaxed.wasm'].map(async (name) => ({
          type: 'CompiledWasm',
          path: join(ROOT, name),
          contents: new Uint8Array(await readFile(join(ROOT, name))),
        })),
      )),
    ];
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        name: 'bench',
        compatibilityDate: '2026-11-01',
        modules,
        modulesRoot: ROOT,
        cf: false,
        telemetry: { enabled: false },
        unsafeObservability: false,
        unsafeLocalExplorer: false,
        logRequests: false,
        log: new Log(LogLevel.WARN),
      } as V4MiniflareOptions),
    );
    await miniflare.ready;
    return new WorkerdHost(miniflare);
  }

  /** Hands a set over: its indexes are built of it from now on. */
  async use({ name, metric, dimension, size, queryCount, rows, queries }: DataSet): Promise<void> {
    const body = new Float32Array(rows.length + queries.length);
    body.set(rows);
    body.set(queries, rows.length);
    const words = { name, metric, dimension, size, queryCount };
    await this.#post('set', new Uint8Array(body.buffer), { set: JSON.stringify(words) });
  }

  async close(): Promise<void> {
    await this.#miniflare.dispose();
  }

  async #post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<unknown> {
    const { origin } = await this.#miniflare.ready;
    const response = await fetch(`${origin}/${path}`, { method: 'POST', body, headers });
    if (!response.ok) throw new Error(`workerd: ${await response.text()}`);
    return await response.json();
  }
}
