import type { Platform } from '../platform.ts';

/** Gives memory back that nobody has needed for a while. Where the platform names no time, it keeps everything. */
export class IdleMemory {
  readonly #platform: Platform;
  #usedAt = 0;
  #isDue = false;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** A call needs what is in memory: notes when, and asks to be woken once. */
  used(): void {
    const { memoryIdleMs, clock, wake } = this.#platform;
    if (memoryIdleMs === undefined) return;
    this.#usedAt = clock.now();
    if (this.#isDue) return;
    this.#isDue = true;
    wake(this.#usedAt + memoryIdleMs);
  }

  /** What is due: lets go of all that can be read again, or asks to be woken later. */
  work(): void {
    const { memoryIdleMs, clock, wake, residency } = this.#platform;
    if (memoryIdleMs === undefined || !this.#isDue) return;
    const due = this.#usedAt + memoryIdleMs;
    if (clock.now() < due) {
      wake(due);
      return;
    }
    this.#isDue = false;
    residency.evictAll();
  }
}
