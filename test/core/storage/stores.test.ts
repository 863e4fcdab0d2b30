import type { ElanusError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { CacheStore } from '../../../core/storage/cache-store.ts';
import { createCertainly, replaceCertainly } from '../../../core/storage/certain.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { MeteredStore } from '../../../core/storage/metered-store.ts';
import type { ObjectStore } from '../../../core/storage/object-store.ts';
import { PrefixStore } from '../../../core/storage/prefix-store.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { objectStoreSuite } from '../../conformance/object-store.ts';
import { FlakyStore } from '../../fakes/flaky-store.ts';
import { LatencyStore } from '../../fakes/latency-store.ts';
import { LimitedStore } from '../../fakes/limited-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';

objectStoreSuite('memory', async () => ({ store: new MemoryStore() }));

objectStoreSuite('prefix', async () => {
  const below = new MemoryStore();
  // Neighbours on both sides that must not be seen.
  for (const key of ['one', 'one0', 'one/0', 'one.', 'two']) await below.create(key, new Uint8Array([1]));
  return { store: new PrefixStore(below, 'one/'), keyBytesMax: 508 };
});

objectStoreSuite('metered', async () => ({ store: new MeteredStore(new MemoryStore()) }));

objectStoreSuite('cache of every key, in blocks of 64 bytes', async () => ({
  store: new CacheStore(new MemoryStore(), { bytesMax: 20_000, blockBytes: 64, cached: () => true }),
}));

objectStoreSuite('cache over a store that lies far away', async () => {
  const clock = new SimulatedClock({ auto: true });
  const far = new LatencyStore(new MemoryStore(), { clock, random: seededRandom(5) });
  return { store: new CacheStore(far, { bytesMax: 8 << 20, cached: (key) => !key.startsWith('copy') }) };
});

objectStoreSuite('latency', async () => {
  const clock = new SimulatedClock({ auto: true });
  return { store: new LatencyStore(new MemoryStore(), { clock, random: seededRandom(1) }) };
});

objectStoreSuite('limited', async () => {
  const clock = new SimulatedClock();
  return { store: new LimitedStore(new MemoryStore(), { clock }), pause: () => clock.advance(1000) };
});

objectStoreSuite('flaky that never fails', async () => ({
  store: new FlakyStore(new MemoryStore(), { clock: new SimulatedClock() }),
}));

objectStoreSuite('certain writes over a flaky store', async () => {
  const clock = new SimulatedClock({ auto: true });
  const rates = { before: 0.02, after: 0.02, lost: 0.02, late: 0.02, overloaded: 0.02, partial: 0.02 };
  const flaky = new FlakyStore(new MemoryStore(), { clock, random: seededRandom(2), rates });
  return { store: certainStore(flaky, clock) };
});

/** What the engine makes of a store that loses answers: writes through `writeCertainly`, the rest simply again. */
function certainStore(store: ObjectStore, clock: Clock): ObjectStore {
  const again = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        const { code } = error as ElanusError;
        if ((code !== 'unavailable' && code !== 'overloaded') || attempt === 20) throw error;
        await clock.sleep(10);
      }
    }
  };
  return {
    create: (key, bytes) => createCertainly(store, key, bytes, clock),
    replace: (key, bytes, expected) => replaceCertainly(store, key, bytes, expected, clock),
    read: (key, range) => again(() => store.read(key, range)),
    delete: (keys) => again(() => store.delete(keys)),
    list: async function* (prefix, after) {
      const infos = await again(() => Array.fromAsync(store.list(prefix, after)));
      yield* infos;
    },
  };
}
