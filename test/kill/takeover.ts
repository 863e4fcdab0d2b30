import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Random, seededRandom } from '../../core/base/random.ts';
import { type KillableBrowser, launchKillable } from '../node/chromium.ts';
import { type PageServer, serveEnginePage } from '../node/page-server.ts';
import { Model, Violation } from './model.ts';
import { callOf } from './operation.ts';
import { ENDS_ENGINE, Tab } from './tab.ts';
import { Writer } from './writer.ts';

/** What happens to one of several tabs that write at once; the others must go on by themselves. */
export const TAKEOVER_MODES = {
  'leader-crash': 'the renderer of the leading tab crashes',
  'leader-kill': 'SIGKILL to the renderer of the leading tab',
  'leader-close': 'the leading tab is closed',
  'leader-stop': 'SIGSTOP to the renderer of the leading tab, and SIGCONT after another has taken its place',
  engine: 'the engine worker of the leading tab is terminated alone',
  'leader-workers': 'all workers of the leading tab are terminated; its page lives',
  'follower-crash': 'the renderer of another tab crashes',
} as const;

export type TakeoverMode = keyof typeof TAKEOVER_MODES;

export interface TakeoverOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Each round takes the next one. */
  readonly modes: readonly TakeoverMode[];
  readonly log?: (line: string) => void;
}

/** What a run did. */
export interface TakeoverReport {
  /**
   * For each mode, the times from the blow to the acknowledgement of a write that another tab sent right after it, in
   * milliseconds, ascending.
   */
  readonly takeoverMs: Readonly<Partial<Record<TakeoverMode, readonly number[]>>>;
  /** How often a stopped tab was in the midst of a transaction, so that the browser let nobody else into the store. */
  readonly held: number;
  readonly acknowledged: number;
  /** Requests of tabs that died, and that were there afterwards. */
  readonly applied: number;
  /** Those that were not. */
  readonly notApplied: number;
  readonly seconds: number;
}

/** After these the tab is gone; after the others it goes on, with new workers where they were terminated. */
const DEADLY: ReadonlySet<TakeoverMode> = new Set(['leader-crash', 'leader-kill', 'leader-close', 'follower-crash']);
const TABS = 3;
const WRITERS = 6;
const ROUNDS_A_DATABASE = 25;
/** A call that waits for so long waits for ever. */
const STUCK_MS = 150_000;
/** After so long without a takeover it is looked at whether the browser holds the store for a stopped tab. */
const HELD_MS = 15_000;

/**
 * Several tabs write into one database at once, and one of them is struck, again and again: throws as soon as a call of
 * another tab fails or does not end, something acknowledged is not there, or a request is there in part or twice.
 */
export async function takeoverRounds(options: TakeoverOptions): Promise<TakeoverReport> {
  const server = await serveEnginePage(ENDS_ENGINE);
  const profile = await mkdtemp(join(tmpdir(), 'elanus-takeover-'));
  const run = new TakeoverRun(options, server, await launchKillable(profile));
  try {
    return await run.run();
  } finally {
    await run.end();
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

class TakeoverRun {
  readonly #options: TakeoverOptions;
  readonly #server: PageServer;
  readonly #chrome: KillableBrowser;
  readonly #random: Random;
  readonly #began = performance.now();
  readonly #takeoverMs: Partial<Record<TakeoverMode, number[]>> = {};
  #tabs: Tab[] = [];
  #model = new Model();
  #writers: Writer[] = [];
  #acknowledged = 0;
  #applied = 0;
  #notApplied = 0;
  #held = 0;
  #batch = 0;

  constructor(options: TakeoverOptions, server: PageServer, chrome: KillableBrowser) {
    this.#options = options;
    this.#server = server;
    this.#chrome = chrome;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<TakeoverReport> {
    const { rounds, modes, seed } = this.#options;
    for (let round = 0; round < rounds; round++) {
      if (round % ROUNDS_A_DATABASE === 0) await this.#beginDatabase();
      const mode = modes[round % modes.length] ?? 'leader-crash';
      await this.#round(`taken-${Math.floor(round / ROUNDS_A_DATABASE)}`, round, mode).catch((error: unknown) => {
        throw new Error(`Round ${round} (${mode}) of seed ${seed}`, { cause: error });
      });
    }
    for (const times of Object.values(this.#takeoverMs)) times.sort((one, other) => one - other);
    return {
      takeoverMs: this.#takeoverMs,
      held: this.#held,
      acknowledged: this.#acknowledged,
      applied: this.#applied,
      notApplied: this.#notApplied,
      seconds: Math.round((performance.now() - this.#began) / 1000),
    };
  }

  end(): Promise<void> {
    return this.#chrome.kill();
  }

  async #beginDatabase(): Promise<void> {
    for (const tab of this.#tabs.splice(0)) await tab.closePage();
    this.#model = new Model();
    const workload = {
      model: this.#model,
      random: this.#random,
      nextBatch: () => this.#batch++,
      onEvent: (event: string) => {
        if (event === 'acknowledged') this.#acknowledged += 1;
      },
    };
    this.#writers = Array.from({ length: WRITERS }, (_, number) => new Writer(number, workload));
  }

  async #round(name: string, round: number, mode: TakeoverMode): Promise<void> {
    await this.#fill(name);
    await this.#settle();
    const leader = await this.#leader();
    const struck = mode === 'follower-crash' ? this.#other(leader) : leader;
    let isOver = false;
    let isDoomed = false;
    const running = Promise.all(
      this.#writers.map((writer, number) => {
        const tab = this.#tabs[number % TABS] as Tab;
        // Whoever writes in another tab hears nothing of the blow.
        const mayFail = (): boolean => isDoomed && tab === struck && mode !== 'leader-stop' && mode !== 'engine';
        return writer.run(tab, () => isOver || mayFail(), mayFail);
      }),
    );
    await Promise.race([running, sleep(300 + (this.#random() % 700))]);
    isDoomed = true;
    const takenMs = await Promise.race([running.then(() => 0), this.#strike(mode, struck)]);
    const goOn = sleep(300 + (this.#random() % 700));
    await Promise.race([running, goOn]);
    isOver = true;
    await orStuck(running, 'calls of the writers');
    if (takenMs !== undefined) this.#takeoverMs[mode] = [...(this.#takeoverMs[mode] ?? []), Math.round(takenMs)];
    if (DEADLY.has(mode)) this.#tabs = this.#tabs.filter((tab) => tab !== struck);
    await this.#settle();
    const taken = takenMs === undefined ? 'held by the browser' : `${Math.round(takenMs)} ms`;
    this.#options.log?.(`round ${round}: ${mode}, ${taken}; ${this.#acknowledged} acknowledged so far`);
  }

  /**
   * Strikes, and measures how long a write of another tab takes that is sent right afterwards; undefined if the browser
   * did not let the other tabs into the store.
   */
  async #strike(mode: TakeoverMode, struck: Tab): Promise<number | undefined> {
    const began = performance.now();
    const blow = this.#blow(mode, struck);
    const other = this.#other(struck);
    const operation = { kind: 'append', batch: this.#batch++, rows: 7 } as const;
    const attempt = this.#model.begin(operation);
    const answered = orStuck(other.call(callOf(operation)), 'a call right after the blow').then(() => {
      this.#model.acknowledge(attempt);
      return performance.now() - began;
    });
    answered.catch(() => undefined);
    if (mode !== 'leader-stop') {
      await blow;
      return answered;
    }
    const takenMs = await Promise.race([answered, sleep(HELD_MS, undefined)]);
    if (takenMs === undefined && (await other.mayUseStore())) throw new Violation('Nobody took over a stopped tab.');
    if (takenMs === undefined) this.#held += 1;
    await sleep(this.#random() % 1500);
    process.kill(struck.process, 'SIGCONT');
    await answered;
    return takenMs;
  }

  async #blow(mode: TakeoverMode, struck: Tab): Promise<void> {
    switch (mode) {
      case 'leader-crash':
      case 'follower-crash':
        return struck.crash('crash');
      case 'leader-kill':
        return struck.crash('SIGKILL');
      case 'leader-close':
        return struck.closePage();
      case 'leader-stop':
        process.kill(struck.process, 'SIGSTOP');
        return;
      case 'engine':
        return struck.terminateEngine();
      case 'leader-workers':
        return struck.terminateWorkers();
    }
  }

  /** Opens tabs until there are enough, over both kinds of links. */
  async #fill(name: string): Promise<void> {
    while (this.#tabs.length < TABS) {
      const tab = await Tab.show(this.#chrome, this.#server.origin);
      await tab.open(name, this.#random() % 2 === 0 ? 'auto' : 'broadcast');
      this.#tabs.push(tab);
    }
  }

  /** Nothing is under way: exactly one tab leads, or will in a moment. */
  async #leader(): Promise<Tab> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const leads = await Promise.all(this.#tabs.map((tab) => tab.leads()));
      const [leader, second] = this.#tabs.filter((_, at) => leads[at]);
      if (leader !== undefined && second === undefined) return leader;
      await sleep(100);
    }
    throw new Violation('No tab leads, or more than one.');
  }

  #other(than: Tab): Tab {
    const others = this.#tabs.filter((tab) => tab !== than);
    return others[this.#random() % others.length] as Tab;
  }

  /** Every tab shows the same, and it is what must be there. */
  async #settle(): Promise<void> {
    const [first, ...others] = await Promise.all(
      this.#tabs.map((tab) => orStuck(tab.contents(), 'a read of everything')),
    );
    if (first === undefined) return;
    if (others.some((other) => !isDeepStrictEqual(other, first))) throw new Violation('Two tabs show different rows.');
    const { applied, notApplied } = this.#model.settle(first);
    this.#applied += applied;
    this.#notApplied += notApplied;
  }
}

async function orStuck<T>(answer: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController();
  const stuck = sleep(STUCK_MS, undefined, { signal: stop.signal }).then(() => {
    throw new Violation(`Stuck for ${STUCK_MS} ms: ${what}.`);
  });
  stuck.catch(() => undefined);
  try {
    return await Promise.race([answer, stuck]);
  } finally {
    stop.abort();
  }
}
