/** The pause before work that failed is tried again: doubled each time, without an end, so that nothing due is lost. */
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 600_000;

/** An object's one alarm: durable, at least once, and the earliest of all that was asked for. */
export class ObjectAlarm {
  readonly #storage: DurableObjectStorage;
  readonly #now: () => number;
  #failures = 0;
  /** Settings go one after another, or a later time could overtake an earlier one. */
  #setting: Promise<void> = Promise.resolve();
  #pending: number | undefined;

  constructor(storage: DurableObjectStorage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
  }

  /** Sets the alarm, unless an earlier one is pending. */
  set(at: number): Promise<void> {
    if (this.#pending !== undefined && this.#pending <= at) return this.#setting;
    this.#pending = at;
    const setting = this.#setting
      .catch(() => undefined)
      .then(async () => {
        const stored = await this.#storage.getAlarm();
        if (stored === null || stored > at) await this.#storage.setAlarm(at);
      });
    this.#setting = setting;
    setting.catch(() => {
      // The next one to ask tries again.
      this.#pending = undefined;
    });
    return setting;
  }

  /** Runs what is due. The platform gives up after a few failures; this does not. */
  async ring(work: () => Promise<void>): Promise<void> {
    this.#pending = undefined;
    try {
      await work();
      this.#failures = 0;
    } catch {
      const pause = Math.min(RETRY_MS_MIN * 2 ** this.#failures, RETRY_MS_MAX);
      this.#failures++;
      await this.set(this.#now() + pause);
    }
  }
}
