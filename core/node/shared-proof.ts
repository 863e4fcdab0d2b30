/**
 * Asks one question for all who wait: each asker gets an answer that was asked for after its own call began, and at
 * most one asking is under way while one more is due.
 */
export class SharedProof {
  readonly #prove: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(prove: () => Promise<void>) {
    this.#prove = prove;
  }

  ask(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<void> {
    const running = this.#prove().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
