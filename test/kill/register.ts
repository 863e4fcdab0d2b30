interface Write {
  readonly batch: number;
  readonly began: number;
  /** When it was certain that it had happened: it was acknowledged, or a read that has ended saw it. */
  certain: number | undefined;
}

/**
 * What a group of rows may hold that several writers replace at once, over a logical time that counts events: a value is
 * out of date when a write that began after it had certainly happened is known to have happened before the read began.
 */
export class Register {
  #writes: Write[] = [];

  begin(batch: number, now: number): void {
    this.#writes.push({ batch, began: now, certain: undefined });
  }

  acknowledge(batch: number, now: number): void {
    const write = this.#find(batch);
    if (write === undefined) throw new Error(`Batch ${batch} was never begun.`);
    write.certain ??= now;
  }

  /** Takes in a read, and says what is wrong with it. */
  read(batch: number | undefined, began: number, ended: number): string | undefined {
    const seen = batch === undefined ? undefined : this.#find(batch);
    if (batch !== undefined && seen === undefined) return `batch ${batch} is there, and must not be`;
    const over = seen === undefined ? Number.NEGATIVE_INFINITY : (seen.certain ?? Number.POSITIVE_INFINITY);
    const newer = this.#writes.find(
      (write) => write.certain !== undefined && write.certain < began && write.began > over,
    );
    if (newer !== undefined) return `batch ${batch ?? 'none'} is read after batch ${newer.batch} had taken its place`;
    if (seen !== undefined) seen.certain ??= ended;
    return undefined;
  }

  /** Nothing is under way any more, and this is what is there: nothing else may appear. */
  settle(batch: number | undefined, now: number): void {
    const seen = batch === undefined ? undefined : this.#find(batch);
    this.#writes = seen === undefined ? [] : [{ ...seen, certain: now }];
  }

  #find(batch: number): Write | undefined {
    return this.#writes.find((write) => write.batch === batch);
  }
}
