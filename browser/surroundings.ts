import type { Random } from '../core/base/random.ts';
import type { Clock } from '../core/time/clock.ts';

/** The time of this tab. */
export const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
};

/** 32 random bits. */
export const random: Random = () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

/** 16 hex digits that nobody else draws: insecure origins have no `crypto.randomUUID`. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
