import { env, reset } from 'cloudflare:test';
import type { Random } from '../../core/base/random.ts';
import { objectLogStore } from '../../core/wal/object-log.ts';
import { R2Store } from '../../worker/storage/r2-store.ts';
import { logSuite } from '../conformance/log.ts';

const bucket = (env as unknown as { OBJECTS: R2Bucket }).OBJECTS;
const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
const random: Random = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

logSuite('objects in R2', async () => ({
  store: objectLogStore(new R2Store(bucket), { clock, random }),
  close: reset,
}));
