import { ElanusError } from '../core/base/error.ts';

/** A tab is one of many, and a page has memory of its own. */
const DEVICE_SHARE = 1 / 8;
/** Where the browser does not say how much memory there is (Firefox, Safari, insecure origins): what a phone has room for. */
const BYTES_DEFAULT = 512 * 1024 * 1024;
/** Less has no room for a request of the largest size and the flush after it. */
const BYTES_MIN = 16 * 1024 * 1024;
const BYTES_MAX = 4 * 1024 * 1024 * 1024;

/**
 * The engine's budget in bytes: what was asked for, or an eighth of the device's memory as the browser tells it (rounded
 * to a power of two, in GiB), or 512 MiB where it does not. Throws `invalid` for what is no number of bytes, or below
 * 16 MiB, or above 4 GiB.
 */
export function memoryBudget(asked: number | undefined): number {
  if (asked === undefined) {
    const { deviceMemory } = navigator as { readonly deviceMemory?: unknown };
    if (typeof deviceMemory !== 'number' || !(deviceMemory > 0)) return BYTES_DEFAULT;
    return Math.min(Math.max(deviceMemory * 2 ** 30 * DEVICE_SHARE, BYTES_MIN), BYTES_MAX);
  }
  if (Number.isFinite(asked) && asked >= BYTES_MIN && asked <= BYTES_MAX) return asked;
  throw new ElanusError(
    'invalid',
    `memoryBytesMax is ${String(asked)}; it is a number of bytes from ${BYTES_MIN} (16 MiB) to ${BYTES_MAX} (4 GiB).`,
    { details: { option: 'memoryBytesMax' } },
  );
}
