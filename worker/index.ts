import { Proxy as ProxyRole } from '../core/node/proxy.ts';
import type { Env } from './env.ts';
import { type Backend, createApp } from './http/app.ts';
import { edgeCluster, remoteCoordinator } from './objects/cluster.ts';
import { clock } from './objects/host.ts';

export type { Env } from './env.ts';
export { ElanusChannel } from './objects/channel-object.ts';
export { ElanusCoordinator } from './objects/coordinator-object.ts';

/** One proxy for each instance that this isolate serves, with its short memory of collections. */
const backends = new WeakMap<Env, Backend>();

function backendOf(env: Env): Backend {
  let backend = backends.get(env);
  if (backend === undefined) {
    const proxy = new ProxyRole(edgeCluster(env), clock);
    backend = { call: (method, body) => proxy.call(method, body), info: () => remoteCoordinator(env).info() };
    backends.set(env, backend);
  }
  return backend;
}

const app = createApp<Env>({
  backend: backendOf,
  token: (env) => (env.ELANUS_TOKEN === undefined || env.ELANUS_TOKEN === '' ? undefined : env.ELANUS_TOKEN),
});

const handler: ExportedHandler<Env> = {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
};

export default handler;
