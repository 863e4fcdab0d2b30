import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../../core/base/random.ts';
import { type KillableBrowser, launchKillable } from '../node/chromium.ts';
import { type PageServer, serveEnginePage } from '../node/page-server.ts';
import { readTrace, traceCommand } from './file-trace.ts';
import { Model } from './model.ts';
import type { Operation } from './operation.ts';
import { PowerCut } from './power-cut.ts';
import { Tab } from './tab.ts';
import { type WriteEvent, Writer } from './writer.ts';

/** What is killed, and how. */
export const MODES = {
  tab: 'the renderer crashes',
  renderer: 'SIGKILL to the renderer, as when memory runs out',
  browser: 'SIGKILL to the browser and all its processes',
  power: 'SIGKILL to the browser, and what was not synced is cut away from its files (strace)',
  worker: 'the engine worker is terminated; the page lives',
} as const;

export type Mode = keyof typeof MODES;

/** All but `power`, which is slow, since all that the browser does is traced. */
export const USUAL_MODES: readonly Mode[] = (Object.keys(MODES) as Mode[]).filter((mode) => mode !== 'power');

/** When: in the midst of whatever goes on, as an acknowledgement comes, around a flush, or while the next one opens. */
const MOMENTS = ['writing', 'acknowledged', 'flushing', 'opening'] as const;
type Moment = (typeof MOMENTS)[number];

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Each round takes the next one. */
  readonly modes: readonly Mode[];
  /** Runs in the engine worker before its own code: a test breaks the promise by it, to see that it is seen. */
  readonly beforeWorker?: string;
  /** Told of each round. */
  readonly log?: (line: string) => void;
}

/** What a run did. */
export interface KillReport {
  readonly kills: Readonly<Partial<Record<Mode, number>>>;
  readonly acknowledged: number;
  /** Requests that were never answered, and were there afterwards. */
  readonly applied: number;
  /** Those that were not. */
  readonly notApplied: number;
  readonly openMsMax: number;
  readonly seconds: number;
}

const WRITERS = 4;
/** A new database after so many rounds: none grows for ever, since nothing merges its segments yet. */
const ROUNDS_A_DATABASE = 40;

/**
 * Kills the database under a checked workload, again and again, and opens it anew: throws as soon as something that was
 * acknowledged is not there, something is there in part or twice, or it does not open.
 *
 * The seed gives the operations and the moments; how far each got by then is up to the machine.
 */
export async function killRounds(options: KillOptions): Promise<KillReport> {
  const server = await serveEnginePage(options.beforeWorker);
  const profile = await mkdtemp(join(tmpdir(), 'elanus-kill-'));
  const run = new KillRun(options, server, profile);
  try {
    return await run.run();
  } finally {
    await run.end();
    await server.close();
    await rm(`${profile}.trace`, { force: true });
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

class KillRun {
  readonly #options: KillOptions;
  readonly #server: PageServer;
  readonly #profile: string;
  readonly #random: Random;
  readonly #began = performance.now();
  readonly #kills: Partial<Record<Mode, number>> = {};
  #chrome: KillableBrowser | undefined;
  #tab: Tab | undefined;
  readonly #powerCut = new PowerCut();
  #acknowledged = 0;
  #applied = 0;
  #notApplied = 0;
  #openMsMax = 0;
  #batch = 0;
  #onEvent: (event: WriteEvent, kind: Operation['kind']) => void = () => undefined;

  constructor(options: KillOptions, server: PageServer, profile: string) {
    this.#options = options;
    this.#server = server;
    this.#profile = profile;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<KillReport> {
    const { rounds } = this.#options;
    for (let first = 0; first < rounds; first += ROUNDS_A_DATABASE) {
      await this.#database(first, Math.min(rounds, first + ROUNDS_A_DATABASE));
    }
    return {
      kills: this.#kills,
      acknowledged: this.#acknowledged,
      applied: this.#applied,
      notApplied: this.#notApplied,
      openMsMax: Math.round(this.#openMsMax),
      seconds: Math.round((performance.now() - this.#began) / 1000),
    };
  }

  async end(): Promise<void> {
    await this.#chrome?.kill();
    this.#chrome = undefined;
  }

  /** Some rounds on one database, and a last look at it. */
  async #database(first: number, end: number): Promise<void> {
    const name = `killed-${first}`;
    const model = new Model();
    const writers = Array.from(
      { length: WRITERS },
      (_, number) =>
        new Writer(number, {
          model,
          random: this.#random,
          nextBatch: () => this.#batch++,
          onEvent: (event, { kind }) => {
            if (event === 'acknowledged') this.#acknowledged += 1;
            this.#onEvent(event, kind);
          },
        }),
    );
    for (let round = first; round < end; round++) {
      const mode = this.#options.modes[round % this.#options.modes.length] ?? 'tab';
      await this.#round(name, round, mode, model, writers).catch((error: unknown) => {
        throw new Error(`Round ${round} (${mode}) of seed ${this.#options.seed}`, { cause: error });
      });
    }
    await this.#check(name, model);
    const tab = await this.#show();
    await tab.close();
  }

  async #round(name: string, round: number, mode: Mode, model: Model, writers: readonly Writer[]): Promise<void> {
    const moment = MOMENTS[this.#random() % MOMENTS.length] ?? 'writing';
    if (moment === 'opening' && round > 0) {
      const tab = await this.#show();
      const opened = tab.open(name).catch(() => undefined);
      await sleep(this.#random() % 300);
      await this.#strike(mode, tab);
      await opened;
    } else {
      const tab = await this.#check(name, model);
      let isOver = false;
      const running = Promise.all(writers.map((writer) => writer.run(tab, () => isOver)));
      // A writer that fails before its time fails the run.
      await Promise.race([running, this.#moment(moment)]);
      isOver = true;
      await this.#strike(mode, tab);
      await running;
    }
    this.#kills[mode] = (this.#kills[mode] ?? 0) + 1;
    this.#options.log?.(`round ${round}: ${mode}, ${moment}; ${this.#acknowledged} acknowledged so far`);
  }

  /** Waits for the moment of the kill: at least a few acknowledgements after the beginning. */
  async #moment(moment: Moment): Promise<void> {
    await this.#heard('acknowledged', 10);
    await sleep(this.#random() % 600);
    if (moment === 'acknowledged') await this.#heard('acknowledged', 1);
    if (moment === 'flushing') {
      await this.#heard('sent', 1, 'flush');
      await sleep(this.#random() % 30);
    }
  }

  #heard(awaited: WriteEvent, times: number, only?: Operation['kind']): Promise<void> {
    return new Promise((resolve) => {
      let left = times;
      this.#onEvent = (event, kind) => {
        if (event === awaited && (only === undefined || kind === only) && --left === 0) resolve();
      };
    });
  }

  /** The kill itself; afterwards nothing of the tab answers. */
  async #strike(mode: Mode, tab: Tab): Promise<void> {
    switch (mode) {
      case 'tab':
        await tab.crash('crash');
        this.#tab = undefined;
        return;
      case 'renderer':
        await tab.crash('SIGKILL');
        this.#tab = undefined;
        return;
      case 'browser':
        await this.#killBrowser(tab);
        return;
      case 'power':
        await this.#killBrowser(tab);
        await this.#powerCut.cut(this.#storedFiles);
        return;
      case 'worker':
        await tab.terminateWorkers();
        return;
    }
  }

  async #killBrowser(tab: Tab): Promise<void> {
    const chrome = this.#chrome;
    this.#chrome = undefined;
    this.#tab = undefined;
    await chrome?.kill();
    tab.lose('the browser was killed');
    if (this.#isTraced) this.#powerCut.replay(readTrace(await readFile(this.#trace, 'utf8'), this.#storedFiles));
  }

  get #isTraced(): boolean {
    return this.#options.modes.includes('power');
  }

  get #trace(): string {
    return `${this.#profile}.trace`;
  }

  get #storedFiles(): string {
    return join(this.#profile, 'Default', 'IndexedDB');
  }

  /** Opens the database anew, and holds what it has against the model. */
  async #check(name: string, model: Model): Promise<Tab> {
    const tab = await this.#show();
    const began = performance.now();
    await tab.open(name);
    this.#openMsMax = Math.max(this.#openMsMax, performance.now() - began);
    const { applied, notApplied } = model.settle(await tab.contents());
    this.#applied += applied;
    this.#notApplied += notApplied;
    return tab;
  }

  /** The tab, or a new one; with a browser if there is none. */
  async #show(): Promise<Tab> {
    this.#chrome ??= await launchKillable(this.#profile, this.#isTraced ? traceCommand(this.#trace) : []);
    this.#tab ??= await Tab.show(this.#chrome, this.#server.origin);
    return this.#tab;
  }
}
