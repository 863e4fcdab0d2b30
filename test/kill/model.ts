import { GROUP_ROWS, groupKeys, groupOf, type Operation } from './operation.ts';
import { Register } from './register.ts';

/** What is in the two collections: the batch of each key, and the number of rows of each batch under automatic keys. */
export interface Contents {
  readonly keyed: ReadonlyMap<number, number>;
  readonly automatic: ReadonlyMap<number, number>;
}

/** How the requests ended whose acknowledgement never came. */
export interface Settled {
  readonly applied: number;
  readonly notApplied: number;
}

/** What was promised is broken: never the end of a tab. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A request under way. */
export interface Attempt {
  readonly operation: Operation;
}

/**
 * What may and must be there. An acknowledged request is there exactly; one that was begun and never acknowledged is
 * there wholly or not at all, and stays as it was first found; nothing else is there.
 *
 * Keys of one writer, and batches under automatic keys, have one request under way at most.
 */
export class Model {
  readonly #keyed = new Map<number, number>();
  readonly #automatic = new Map<number, number>();
  readonly #groups = new Map<number, Register>();
  readonly #open = new Set<Attempt>();
  #now = 0;

  /** Before a request is sent. */
  begin(operation: Operation): Attempt {
    const attempt = { operation };
    this.#open.add(attempt);
    if (operation.kind === 'share') this.#group(operation.group).begin(operation.batch, ++this.#now);
    return attempt;
  }

  /** When its answer has come. */
  acknowledge(attempt: Attempt): void {
    if (!this.#open.delete(attempt)) throw new Error('A request is acknowledged once.');
    const { operation } = attempt;
    if (operation.kind === 'share') this.#group(operation.group).acknowledge(operation.batch, ++this.#now);
    else this.#apply(operation);
  }

  /** Now, for `read`. */
  tick(): number {
    return ++this.#now;
  }

  /** A read of a whole group that began at `began` and has ended; throws if it shows what it must not. */
  read(group: number, batches: readonly number[], began: number): void {
    const fault = this.#readGroup(group, batches, began);
    if (fault !== undefined) throw new Violation(fault);
  }

  /**
   * Holds all that is there against what must be, while nothing is under way. Requests whose end was unknown are settled
   * by what is found; throws, with all that is wrong, if a request was lost, is there in part, twice or again.
   */
  settle(found: Contents): Settled {
    const faults: string[] = [];
    const open = [...this.#open].map(({ operation }) => operation);
    this.#open.clear();
    const settled = { applied: 0, notApplied: 0 };
    for (const operation of open) {
      const isApplied = this.#isApplied(operation, found);
      if (isApplied === undefined) continue;
      if (isApplied) this.#apply(operation);
      settled[isApplied ? 'applied' : 'notApplied'] += 1;
    }
    this.#compareGroups(found, faults);
    const own = [...found.keyed].filter(([key]) => groupOf(key) === undefined);
    compare('key', this.#keyed, new Map(own), faults);
    compare('batch under automatic keys', this.#automatic, found.automatic, faults);
    if (faults.length > 0) {
      const unanswered = open.map((operation) => JSON.stringify(operation)).join(', ');
      const more = faults.length > 20 ? `\n… and ${faults.length - 20} more` : '';
      throw new Violation(`${faults.slice(0, 20).join('\n')}${more}\nunanswered were: ${unanswered || 'none'}`);
    }
    return settled;
  }

  /** A writer's own keys that are there, of those that are known for certain. */
  keysBetween(first: number, end: number): number[] {
    return [...this.#keyed.keys()].filter((key) => key >= first && key < end);
  }

  /** Whether one request's outcome is that it happened; the comparison that follows shows if it did so in part. */
  #isApplied(operation: Operation, found: Contents): boolean | undefined {
    switch (operation.kind) {
      case 'write':
        return operation.keys.some((key) => found.keyed.get(key) === operation.batch);
      case 'delete':
        return operation.keys.some((key) => this.#keyed.has(key) && !found.keyed.has(key));
      case 'append':
        return found.automatic.has(operation.batch);
      case 'drop':
        return this.#automatic.has(operation.batch) && !found.automatic.has(operation.batch);
      // Another's request may have come after it; nothing shows a flush.
      case 'share':
      case 'flush':
        return undefined;
    }
  }

  #apply(operation: Operation): void {
    switch (operation.kind) {
      case 'write':
        for (const key of operation.keys) this.#keyed.set(key, operation.batch);
        return;
      case 'delete':
        for (const key of operation.keys) this.#keyed.delete(key);
        return;
      case 'append':
        this.#automatic.set(operation.batch, operation.rows);
        return;
      case 'drop':
        this.#automatic.delete(operation.batch);
        return;
      case 'share':
      case 'flush':
        return;
    }
  }

  #compareGroups(found: Contents, faults: string[]): void {
    const groups = new Set(this.#groups.keys());
    for (const key of found.keyed.keys()) {
      const group = groupOf(key);
      if (group !== undefined) groups.add(group);
    }
    for (const group of groups) {
      const batches = groupKeys(group).flatMap((key) => found.keyed.get(key) ?? []);
      const fault = this.#readGroup(group, batches, ++this.#now);
      if (fault !== undefined) faults.push(fault);
      this.#group(group).settle(batches[0], ++this.#now);
    }
  }

  #readGroup(group: number, batches: readonly number[], began: number): string | undefined {
    const [batch] = batches;
    const isWhole = batches.length === (batch === undefined ? 0 : GROUP_ROWS);
    if (!isWhole || batches.some((other) => other !== batch)) return `group ${group} is torn: batches ${batches}`;
    const fault = this.#group(group).read(batch, began, ++this.#now);
    return fault === undefined ? undefined : `group ${group}: ${fault}`;
  }

  #group(group: number): Register {
    const register = this.#groups.get(group) ?? new Register();
    this.#groups.set(group, register);
    return register;
  }
}

function compare(
  what: string,
  expected: ReadonlyMap<number, number>,
  found: ReadonlyMap<number, number>,
  faults: string[],
): void {
  for (const [key, value] of expected) {
    if (found.get(key) !== value)
      faults.push(`${what} ${key}: must hold ${value}, holds ${found.get(key) ?? 'nothing'}`);
  }
  for (const [key, value] of found) {
    if (!expected.has(key)) faults.push(`${what} ${key}: holds ${value}, must not be there`);
  }
}
