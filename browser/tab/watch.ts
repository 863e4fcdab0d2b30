/** How long a call waits before the leader is asked whether it lives; and between two such questions. */
const SUSPECT_AFTER_MS = 1_000;

/**
 * Looks after calls that wait: while any has waited for a second, the leader is suspected, and asked. Where nothing
 * waits nothing is asked, so an idle leader may sleep.
 */
export class Watch {
  readonly #suspect: () => Promise<void>;
  readonly #since = new Map<symbol, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param suspect asks, and acts on the answer; one at a time */
  constructor(suspect: () => Promise<void>) {
    this.#suspect = suspect;
  }

  /** A call begins to wait; it ends when the returned function is called. */
  begin(): () => void {
    const call = Symbol('call');
    this.#since.set(call, performance.now());
    if (this.#timer === undefined) this.#arm(SUSPECT_AFTER_MS);
    return () => this.#since.delete(call);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    const [oldest] = this.#since.values();
    const waitedMs = oldest === undefined ? 0 : performance.now() - oldest;
    // What keeps it from asking now may have passed in a second.
    if (waitedMs >= SUSPECT_AFTER_MS) await this.#suspect().catch(() => undefined);
    if (this.#since.size === 0) this.#timer = undefined;
    else this.#arm(Math.max(1, SUSPECT_AFTER_MS - (waitedMs >= SUSPECT_AFTER_MS ? 0 : waitedMs)));
  }
}
