import { ElanusError } from '../core/base/error.ts';
import type { SegmentIndex } from '../core/vector/segment-index.ts';
import { whole } from './vector-index-options.ts';

/** How `build` shares its thread. */
export interface BuildOptions {
  /** Stops the work between two slices; what is done stays done, and `build` goes on from there. */
  readonly signal?: AbortSignal;
  /** Called after each slice, with vectors taken in since `build` was called, and all that it was to take in. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Milliseconds of work before others get their turn. Default: 12. `Infinity`: all at once. */
  readonly sliceMs?: number;
}

export interface BuildProgress {
  readonly done: number;
  readonly total: number;
}

/** Rows of the first slice: of the slowest kind they are a few milliseconds. */
const ROWS_FIRST = 16;
/** Rows of a slice where no clock runs while code does, as on Workers. */
const ROWS_UNTIMED = 64;
const ROWS_MAX = 65_536;

/**
 * Builds in slices until nothing is pending. Rows that are added meanwhile are taken in too. `opened` gives the index at
 * each slice, and throws `closed` once it is freed.
 */
export async function buildInSlices(opened: () => SegmentIndex, options: BuildOptions = {}): Promise<void> {
  const { signal, onProgress, sliceMs = 12 } = options;
  for (const name in options) {
    if (!['signal', 'onProgress', 'sliceMs'].includes(name)) {
      throw new ElanusError('invalid', `build has no option ${name}.`, { details: { option: name } });
    }
  }
  if (sliceMs !== Number.POSITIVE_INFINITY) whole('sliceMs', sliceMs, 1, 60_000);
  let rows = sliceMs === Number.POSITIVE_INFINITY ? ROWS_MAX : ROWS_FIRST;
  let taken = 0;
  refuseIfAborted(signal);
  let { pending } = opened();
  while (pending > 0) {
    const began = performance.now();
    const left = opened().build(rows);
    const elapsedMs = performance.now() - began;
    taken += pending - left;
    onProgress?.({ done: taken, total: taken + left });
    if (sliceMs !== Number.POSITIVE_INFINITY) {
      rows = nextRows(rows, elapsedMs, sliceMs);
      await othersTurn();
    }
    refuseIfAborted(signal);
    ({ pending } = opened());
  }
}

/** So many that the next slice takes about its time, going by the last one; at most twice as many as then. */
function nextRows(rows: number, elapsedMs: number, sliceMs: number): number {
  if (elapsedMs === 0 && rows >= ROWS_UNTIMED) return ROWS_UNTIMED;
  const fitting = Math.floor((rows * sliceMs) / Math.max(elapsedMs, 0.001));
  return Math.max(1, Math.min(2 * rows, fitting, ROWS_MAX));
}

function refuseIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new ElanusError('aborted', 'The build was stopped; call build again, and it goes on.', {
    cause: signal.reason,
  });
}

/**
 * Lets the host do what waits. A page makes a timer of no time wait 4 ms, and a message comes as soon as the page is
 * free; on Workers messages come before timers, and before all that waits for them.
 */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined' || isWorkerd()) {
      setTimeout(resolve, 0);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

function isWorkerd(): boolean {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === 'Cloudflare-Workers';
}
