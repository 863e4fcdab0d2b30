import { relaxedSimdSupported } from '../../../wasm/index.ts';
import { buildElanus, type CoreBuild, nameOf, type Setting } from '../systems/elanus-index.ts';
import { RemoteBench, type RemoteRequest, type SetWords } from './remote.ts';

/** What the Worker's script imports, compiled: Workers refuse to compile at run time. */
export type CoreModules = Readonly<Record<CoreBuild, WebAssembly.Module>>;

/**
 * The bench as a Worker's `fetch`: `POST /set` with the words in the header `set` and rows and queries, one after the
 * other, as body; `POST /ask` with a request as JSON.
 */
export function serveBench(
  modules: CoreModules,
  settings: readonly Setting[],
): (request: Request) => Promise<Response> {
  const runs = settings.filter(({ build }) => build === 'simd' || relaxedSimdSupported());
  const bench = new RemoteBench(
    new Map(
      runs.map((setting) => [
        nameOf(setting),
        async (set) => (await buildElanus(set, setting, { module: modules[setting.build] })).built,
      ]),
    ),
  );
  return async (request) => {
    try {
      if (new URL(request.url).pathname === '/set') {
        const words = JSON.parse(request.headers.get('set') ?? '') as SetWords;
        const values = new Float32Array(await request.arrayBuffer());
        const end = words.size * words.dimension;
        bench.use(words, values.subarray(0, end), values.subarray(end));
        return Response.json(null);
      }
      return Response.json((await bench.answer((await request.json()) as RemoteRequest)) ?? null);
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  };
}
