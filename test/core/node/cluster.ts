import { seededRandom } from '../../../core/base/random.ts';
import type { Connection } from '../../../core/client/connection.ts';
import { Database } from '../../../core/client/database.ts';
import type { Info, Int64Mode } from '../../../core/elanus.ts';
import { ChangeFeed } from '../../../core/node/change-feed.ts';
import { LocalCluster } from '../../../core/node/local-cluster.ts';
import type { Platform } from '../../../core/platform.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import type { ObjectStore } from '../../../core/storage/object-store.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { kernelBytesMax, Residency } from '../../../core/vector/residency.ts';
import { VERSION } from '../../../core/version.ts';
import { objectLogStore } from '../../../core/wal/object-log.ts';
import { nodeKernel } from '../../node/kernel.ts';

/** A clock of the machine, for tests in which time does not matter. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

let incarnations = 0;

export interface TestCluster {
  readonly cluster: LocalCluster;
  readonly platform: Platform;
  /** What is announced. */
  readonly changes: ChangeFeed;
  /** The times that roles asked to be woken at. */
  readonly wakes: number[];
}

/** All roles in this thread over a store: closing it and making another over the same store is a restart. */
export async function testCluster(
  options: {
    readonly objects?: ObjectStore;
    readonly seed?: number;
    readonly clock?: Clock;
    /** The budget; 340 MiB by default. */
    readonly memoryBytes?: number;
    /** What the platform has instead. */
    readonly host?: Partial<Platform>;
  } = {},
): Promise<TestCluster> {
  const objects = options.objects ?? new MemoryStore();
  const clock = options.clock ?? realClock;
  // Two incarnations must not draw the same nonces, in a test as little as in life.
  incarnations += 1;
  const random = seededRandom((options.seed ?? 1) * 1_000_003 + incarnations);
  const wakes: number[] = [];
  const { memoryBytes = 340 * 1024 * 1024 } = options;
  const kernel = await nodeKernel(kernelBytesMax(memoryBytes));
  const changes = new ChangeFeed();
  const platform: Platform = {
    objects,
    logs: objectLogStore(objects, { clock, random }),
    residency: new Residency(kernel, memoryBytes),
    clock,
    random,
    wake: (at) => wakes.push(at),
    get announce() {
      return changes.announce;
    },
    ...options.host,
  };
  return { cluster: new LocalCluster(platform), platform, changes, wakes };
}

/** A client of a cluster in the same thread. */
export function databaseOn<Mode extends Int64Mode = 'number'>(
  { cluster, changes, platform }: TestCluster,
  options: { readonly int64?: Mode } = {},
): Database<Mode> {
  const connection: Connection = {
    call: (method, body) => cluster.proxy.call(method, body),
    subscribe: (listener) => changes.subscribe(listener),
    info: async (): Promise<Info> => ({
      ...{ version: VERSION, host: 'edge', storage: 'memory', kernel: 'simd128' },
      memory: platform.residency.use(),
    }),
    close: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
  };
  return new Database<Mode>(connection, options);
}
