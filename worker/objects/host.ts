import type { Random } from '../../core/base/random.ts';
import type { Platform } from '../../core/platform.ts';
import type { Clock } from '../../core/time/clock.ts';
import { objectLogStore } from '../../core/wal/object-log.ts';
import type { GroupCommitCost } from '../../core/wal/wal.ts';
import type { Env } from '../env.ts';
import { R2Store } from '../storage/r2-store.ts';
import type { ObjectAlarm } from './alarm.ts';
import { isolateResidency } from './kernel.ts';

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

const drawn = new Uint32Array(64);
let left = 0;

/** The platform's own chance, drawn some numbers at a time. */
export const random: Random = () => {
  if (left === 0) {
    crypto.getRandomValues(drawn);
    left = drawn.length;
  }
  left--;
  return drawn[left] ?? 0;
};

/** What the role in a Durable Object reads of the world. */
export function objectPlatform(ctx: DurableObjectState, env: Env, wake: (at: number) => void): Platform {
  const objects = new R2Store(env.OBJECTS);
  return {
    objects,
    logs: objectLogStore(objects, { clock, random }),
    residency: isolateResidency(),
    clock,
    random,
    wake,
    groupCommit: groupCommitOf(env),
    // The platform stops an object that it has replaced as soon as it touches its storage.
    provePlacement: async () => {
      await ctx.storage.get('placement');
    },
  };
}

/** The knobs of latency and cost, from the Worker's variables; one that is no positive number is left at its default. */
function groupCommitOf(env: Env): GroupCommitCost {
  const gatherMs = Number(env.ELANUS_GATHER_MS);
  const putsPerSecond = Number(env.ELANUS_PUTS_PER_SECOND);
  return { ...(gatherMs > 0 ? { gatherMs } : {}), ...(putsPerSecond > 0 ? { putsPerSecond } : {}) };
}

/** Sets an alarm for a role that cannot wait for it; the object stays awake until it is set. */
export function wakeBy(ctx: DurableObjectState, alarm: ObjectAlarm): (at: number) => void {
  return (at) => {
    ctx.waitUntil(alarm.set(at).catch(() => undefined));
  };
}
