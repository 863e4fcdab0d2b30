import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { engineSuite } from '../../conformance/engine.ts';
import { LimitedStore } from '../../fakes/limited-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, testCluster } from './cluster.ts';

engineSuite('the engine in one thread over memory', async () => {
  const running = await testCluster({ objects: new MemoryStore() });
  return {
    open: async (options) => databaseOn(running, options),
    dispose: () => running.cluster.close(),
  };
});

engineSuite('the engine over a store with the limits of R2', async () => {
  const clock = new SimulatedClock({ auto: true });
  const running = await testCluster({ objects: new LimitedStore(new MemoryStore(), { clock }), clock });
  return {
    open: async (options) => databaseOn(running, options),
    dispose: () => running.cluster.close(),
  };
});
