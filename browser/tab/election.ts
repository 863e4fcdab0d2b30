import { findLeader, type HeldLock, holdLock, lockNames } from '../locks.ts';

/** What a candidate does when its turn comes and when it has passed. */
export interface Candidate {
  /** Takes the lead; the lead is passed on if this rejects, and then `failed` hears of it. */
  lead(): Promise<void>;
  failed(error: unknown): void;
  /** Another tab has taken the lead away: this one was silent for too long. */
  deposed(): void;
}

/** A tab that could not lead lets the others try before it tries again. */
const RETRY_AFTER_MS = 1_000;
/** How long one tab may take to depose another before the next one does it. */
const STEAL_MS_MAX = 3_000;

/**
 * Who leads a database: the tab that holds its Web Lock. All tabs wait for it in a queue, so the death of the leader
 * makes the next one lead without anybody's doing.
 */
export class Election {
  readonly #database: string;
  readonly #candidate: Candidate;
  readonly #stop = new AbortController();
  #waiting: AbortController | undefined;
  #isStealing = false;
  #onAcquired: () => void = () => undefined;
  #held: HeldLock | undefined;
  #running: Promise<void> | undefined;

  constructor(database: string, candidate: Candidate) {
    this.#database = database;
    this.#candidate = candidate;
  }

  /** Stands for election until it is stopped. */
  start(): void {
    this.#running = this.#run().catch((error: unknown) => this.#candidate.failed(error));
  }

  /** Whether this tab holds the lead, or believes that it does. */
  get leads(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Takes the lead away from a tab that does not answer. Of several tabs that find it silent one does so; the others
   * see that it is done.
   */
  async depose(tab: string): Promise<void> {
    const name = lockNames.steal(this.#database);
    const take = (): Promise<void> => this.#takeFrom(tab);
    try {
      await navigator.locks.request(name, { signal: AbortSignal.timeout(STEAL_MS_MAX) }, take);
    } catch (error) {
      if ((error as Error).name !== 'TimeoutError') throw error;
      // The tab that was about to do so has stopped as well.
      await navigator.locks.request(name, { steal: true }, take);
    }
  }

  /** Gives up the lead, so that another tab tries; stands again afterwards. */
  giveUp(): void {
    this.#held?.release();
  }

  /** Leaves for good. The lead passes on when this resolves. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting?.abort();
    this.#held?.release();
    await this.#running;
  }

  async #takeFrom(tab: string): Promise<void> {
    const leader = await findLeader(this.#database);
    // Looked at in one step: this tab's turn may have come meanwhile.
    if (this.#waiting === undefined || leader?.tab !== tab) return;
    const acquired = new Promise<void>((resolve) => {
      this.#onAcquired = resolve;
    });
    this.#isStealing = true;
    this.#waiting.abort();
    await acquired;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const lock = await this.#acquire();
      this.#onAcquired();
      if (lock === undefined) return;
      this.#held = lock;
      try {
        await this.#candidate.lead();
        await lock.ended;
      } catch (error) {
        this.#candidate.failed(error);
        lock.release();
      }
      this.#held = undefined;
      if (this.#stop.signal.aborted) return;
      this.#candidate.deposed();
      await this.#pause();
    }
  }

  async #acquire(): Promise<HeldLock | undefined> {
    const waiting = new AbortController();
    this.#waiting = waiting;
    try {
      return await holdLock(lockNames.leader(this.#database), { signal: waiting.signal });
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      if (!this.#isStealing) throw error;
      return await holdLock(lockNames.leader(this.#database), { steal: true });
    } finally {
      this.#isStealing = false;
      this.#waiting = undefined;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_AFTER_MS);
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
