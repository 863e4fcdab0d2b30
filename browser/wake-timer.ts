/**
 * `Platform.wake` in a tab: one timer for the earliest time that was asked for. It does not outlive the tab; what was
 * due is done at the next opening instead.
 */
export class WakeTimer {
  readonly #work: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  wake(at: number): void {
    if (this.#stopped || at >= this.#due) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#due = at;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, at - Date.now()));
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #ring(): void {
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    // A failure is told to the next call that needs what was to be done; the roles try again when they are woken.
    void this.#work().catch(() => undefined);
  }
}
