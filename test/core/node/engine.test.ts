import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { engineSuite } from '../../conformance/engine.ts';
import { databaseOn, testCluster } from './cluster.ts';

engineSuite('the engine in one thread over memory', async () => {
  const running = await testCluster({ objects: new MemoryStore() });
  return {
    open: async (options) => databaseOn(running, options),
    dispose: () => running.cluster.close(),
  };
});
