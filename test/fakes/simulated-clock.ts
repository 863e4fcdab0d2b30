import type { Clock } from '../../core/time/clock.ts';

/** Both are used as they are found: Node has the first, browsers and workerd the second. */
declare const setImmediate: ((task: () => void) => void) | undefined;
declare const MessageChannel: new () => {
  readonly port1: { onmessage: (() => void) | null; close(): void };
  readonly port2: { postMessage(message: null): void; close(): void };
};

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * A clock whose time moves only when it is told to, so that the same seed gives the same run. In auto mode it moves to
 * the next sleeper whenever everything else has come to rest; otherwise `advance` moves it. No real time passes.
 */
export class SimulatedClock implements Clock {
  #now: number;
  #isAuto: boolean;
  #isRunning = false;
  #order = 0;
  #sleepers: Sleeper[] = [];

  constructor(options: { readonly start?: number; readonly auto?: boolean } = {}) {
    this.#now = options.start ?? 1_700_000_000_000;
    this.#isAuto = options.auto ?? false;
  }

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sleepers.push({ at: this.#now + Math.max(0, ms), order: this.#order++, wake: resolve });
    if (this.#isAuto) void this.#run();
    return promise;
  }

  /** Moves time by `ms`, waking each sleeper at its time and letting it act before the next wakes. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    while (this.#wakeNext(until)) await settle();
    this.#now = until;
  }

  /** Jumps, as the clock of a host may: nobody wakes for it until time moves next. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Begins or ends auto mode. A simulation ends it so that endless loops come to rest. */
  setAuto(isAuto: boolean): void {
    this.#isAuto = isAuto;
    if (isAuto) void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await settle();
    while (this.#isAuto && this.#wakeNext(Number.POSITIVE_INFINITY)) await settle();
    this.#isRunning = false;
  }

  /** Wakes the sleeper whose time comes first, and among equals the one who fell asleep first. */
  #wakeNext(until: number): boolean {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (first === undefined || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order)) {
        first = sleeper;
      }
    }
    if (first === undefined || first.at > until) return false;
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== first);
    this.#now = Math.max(this.#now, first.at);
    first.wake();
    return true;
  }
}

/** Resolves when every promise that can settle has settled: a task runs after all microtasks. */
export function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (typeof setImmediate === 'function') setImmediate(resolve);
  else {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  }
  return promise;
}
