import type { Info } from '../../core/elanus.ts';
import type { Cluster, CoordinatorPeer, StreamingPeer } from '../../core/node/protocol.ts';
import type { Env } from '../env.ts';
import { type RoleMethods, type RoleStub, remoteRole } from './rpc.ts';

/** The one coordinator of an instance. */
const COORDINATOR_NAME = 'coordinator';

/** The coordinator, and what it says of the instance. */
export interface EdgeCoordinator extends CoordinatorPeer {
  info(): Promise<Info>;
}

/** Handing out a range twice wastes numbers; a drop names the collection's id; loading may undo what came between. */
export const COORDINATOR_METHODS: RoleMethods<EdgeCoordinator> = {
  createCollection: 'repeatable',
  dropCollection: 'repeatable',
  describeCollection: 'repeatable',
  listCollections: 'repeatable',
  setLoaded: 'once',
  allocateTimestamps: 'repeatable',
  allocateKeys: 'repeatable',
  info: 'repeatable',
};

/** A write that is sent again could undo one that came between. */
export const STREAMING_METHODS: RoleMethods<StreamingPeer> = {
  write: 'once',
  delete: 'once',
  search: 'repeatable',
  query: 'repeatable',
  count: 'repeatable',
  flush: 'repeatable',
  statistics: 'repeatable',
  release: 'repeatable',
  drop: 'repeatable',
};

export function remoteCoordinator(env: Env): EdgeCoordinator {
  return remoteRole(COORDINATOR_METHODS, () => stubOf(env.COORDINATOR, COORDINATOR_NAME));
}

export function remoteStreamingNode(env: Env, channel: string): StreamingPeer {
  return remoteRole(STREAMING_METHODS, () => stubOf(env.CHANNELS, channel));
}

/** Where the roles are on the edge: each in its Durable Object. */
export function edgeCluster(env: Env): Cluster {
  return {
    coordinator: remoteCoordinator(env),
    streamingNode: (channel) => remoteStreamingNode(env, channel),
  };
}

function stubOf(namespace: DurableObjectNamespace, name: string): RoleStub {
  // The platform's types do not know which class is bound; `wrangler.jsonc` does.
  return namespace.get(namespace.idFromName(name)) as unknown as RoleStub;
}
