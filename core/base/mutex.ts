/** Lets tasks run one at a time, in the order in which they came. A task that fails does not hold up the next. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Tasks that run or wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `task` after every earlier one has ended. A task must not wait for another of the same mutex. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#last.then(task);
    const done = (): void => {
      this.#waiting--;
    };
    this.#last = result.then(done, done);
    return result;
  }
}
