import { seededRandom } from '../../../core/base/random.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { PrefixStore } from '../../../core/storage/prefix-store.ts';
import { MemoryLogStore } from '../../../core/wal/memory-log.ts';
import { objectLogStore } from '../../../core/wal/object-log.ts';
import { logSuite } from '../../conformance/log.ts';
import { FlakyStore } from '../../fakes/flaky-store.ts';
import { LatencyStore } from '../../fakes/latency-store.ts';
import { LimitedStore } from '../../fakes/limited-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';

logSuite('memory', async () => ({ store: new MemoryLogStore() }));

logSuite('objects in memory', async () => {
  const clock = new SimulatedClock({ auto: true });
  return { store: objectLogStore(new MemoryStore(), { clock, random: seededRandom(1) }) };
});

logSuite('objects under a prefix', async () => {
  const clock = new SimulatedClock({ auto: true });
  const store = new PrefixStore(new MemoryStore(), 'database/');
  return { store: objectLogStore(store, { clock, random: seededRandom(2) }) };
});

logSuite('objects far away, whose requests overtake each other', async () => {
  const clock = new SimulatedClock({ auto: true });
  const random = seededRandom(3);
  return { store: objectLogStore(new LatencyStore(new MemoryStore(), { clock, random }), { clock, random }) };
});

logSuite("objects with R2's limits", async () => {
  const clock = new SimulatedClock({ auto: true });
  const store = new LimitedStore(new MemoryStore(), { clock });
  return { store: objectLogStore(store, { clock, random: seededRandom(4) }) };
});

logSuite('objects in a store that loses requests and answers', async () => {
  const clock = new SimulatedClock({ auto: true });
  const random = seededRandom(5);
  const rates = { before: 0.03, after: 0.03, lost: 0.03, late: 0.03, overloaded: 0.03, partial: 0.03 };
  return { store: objectLogStore(new FlakyStore(new MemoryStore(), { clock, random, rates }), { clock, random }) };
});
