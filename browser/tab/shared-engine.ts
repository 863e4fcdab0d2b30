import { ElanusError } from '../../core/base/error.ts';
import { BrokerClient } from '../broker/broker-client.ts';
import { closedError, dataDiedError } from '../closed.ts';
import { findLeader, hasCandidates, holdLock, lockNames, whenReleased } from '../locks.ts';
import { type OpenedTab, type OpenRequest, sharedChanges } from '../protocol.ts';
import { clock } from '../surroundings.ts';
import { ControlChannel, type Leader, PROTOCOL, type Question } from './control-channel.ts';
import { Election } from './election.ts';
import { type EngineAccess, type EngineLink, isPassing, linkLost } from './engine-access.ts';
import { EngineWorker } from './engine-worker.ts';
import { linkToLeader } from './leader-link.ts';
import { LinkSlot } from './link-slot.ts';
import { Watch } from './watch.ts';

/** How long an opening waits for a leader. */
const OPEN_MS_MAX = 120_000;
/** How long a leading tab may take to answer a ping: it does nothing heavy. */
const PING_MS_MAX = 2_000;
/** Between two tries to reach a leader that does not let this tab in. */
const LINK_AGAIN_MS = 200;
/** An engine that has died sooner than this after its start is not started again by the same tab at once. */
const HEALTHY_MS = 5_000;
/** How long a database that was deleted keeps its lock, so that no tab that has yet to hear of it opens it again. */
const LEAVE_MS_MAX = 1_000;

/**
 * The engine that all tabs of a database share. One tab leads: it holds the Web Lock, and the engine runs in a worker of
 * its own, so that this thread answers pings whatever the engine does. The other tabs link to that engine. When the
 * leader goes, the lock passes on; when it is silent while a call waits, it is deposed.
 */
export class SharedEngine implements EngineAccess {
  readonly #request: OpenRequest;
  readonly #tab: string;
  readonly #slot = new LinkSlot();
  readonly #watch = new Watch(() => this.#suspect());
  readonly #election: Election;
  readonly #control: ControlChannel;
  readonly #broker: BrokerClient;
  readonly #left = new AbortController();
  #own: EngineWorker | undefined;
  #leader: Leader | undefined;
  /** Why the tab that leads cannot be spoken to. */
  #foreign: ElanusError | undefined;
  /** The data turned out to be this tab's own. */
  #isAlone = false;
  #isDestroyed = false;

  constructor(request: OpenRequest, tab: string, brokerPort: MessagePort | undefined) {
    this.#request = request;
    this.#tab = tab;
    this.#broker = new BrokerClient(brokerPort, (engine, port) => this.#attachPort(engine, port));
    this.#control = new ControlChannel(request.name, tab, {
      onWho: () => void this.#announce(),
      onLeader: (leader) => void this.#heard(leader),
      onDestroyed: (why) => this.#destroyed(why),
      onQuestion: (question, from) => this.#answer(question, from),
    });
    this.#election = new Election(request.name, {
      lead: () => this.#lead(),
      failed: (error) => this.#slot.refuse(error),
      deposed: () => this.#deposed(),
    });
  }

  /** Resolves when an engine answers: its own or another tab's. */
  async open(): Promise<OpenedTab> {
    const lock = lockNames.tab(this.#request.name, this.#tab);
    // Held until this worker ends, never released: by it the page and the other tabs see that the tab is gone.
    await holdLock(lock);
    this.#broker.join(this.#request.name, this.#tab);
    this.#control.askWho();
    this.#election.start();
    const answered = this.waits();
    try {
      await this.link(clock.now() + OPEN_MS_MAX);
      const changes = this.#own?.changes ?? sharedChanges(this.#request.name);
      return { lock, changes, isVolatile: this.#isAlone };
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      answered();
    }
  }

  link(until: number): Promise<EngineLink> {
    return this.#foreign === undefined ? this.#slot.get(until) : Promise.reject(this.#foreign);
  }

  waits(): () => void {
    return this.#watch.begin();
  }

  async close(): Promise<void> {
    this.#left.abort();
    const own = this.#takeOwn();
    await own?.close().catch(() => own.terminate());
    await this.#leave(closedError());
    this.#control.close(closedError());
    this.#broker.close();
  }

  async destroy(): Promise<void> {
    const until = clock.now() + OPEN_MS_MAX;
    const answered = this.waits();
    try {
      while (!this.#isDestroyed) {
        const link = await this.link(until);
        try {
          if (link.kind === 'own') await this.#destroyOwn();
          else await Promise.race([this.#control.ask(link.leader, { kind: 'destroy' }), endOf(link)]);
          return;
        } catch (error) {
          if (this.#isDestroyed) return;
          if (!isPassing(error) || clock.now() >= until) throw error;
        }
        await clock.sleep(LINK_AGAIN_MS);
      }
    } finally {
      answered();
    }
  }

  /** This tab's turn: it starts the engine and tells the others. */
  async #lead(): Promise<void> {
    this.#leader = undefined;
    this.#foreign = undefined;
    const engine = await EngineWorker.start(this.#request);
    if (this.#left.signal.aborted) {
      engine.terminate();
      return;
    }
    const startedAt = clock.now();
    this.#own = engine;
    this.#slot.put({ kind: 'own', leader: this.#tab, calls: engine.calls });
    void engine.died.then(() => this.#engineDied(engine, startedAt));
    void engine.lost.then((reason) => this.#dataLost(engine, reason));
    if (engine.isVolatile) {
      // Nothing here can be shared: every tab has an engine of its own.
      this.#isAlone = true;
      void this.#election.stop();
      return;
    }
    await this.#announce();
  }

  async #announce(): Promise<void> {
    const broker = await this.#broker.id;
    const own = this.#own;
    if (own !== undefined && !this.#isAlone) {
      this.#control.announceLeader({ tab: this.#tab, engine: own.id, broker });
    }
  }

  async #engineDied(engine: EngineWorker, startedAt: number): Promise<void> {
    if (this.#own !== engine) return;
    this.#own = undefined;
    if (this.#isAlone) {
      this.#slot.end(dataDiedError('engine'));
      return;
    }
    this.#slot.clear('The engine has died.');
    if (clock.now() - startedAt < HEALTHY_MS) {
      this.#election.giveUp();
      return;
    }
    await this.#lead().catch((error: unknown) => {
      this.#slot.refuse(error);
      this.#election.giveUp();
    });
  }

  /** Another tab has the lock, or this one has given it up. */
  #deposed(): void {
    this.#takeOwn()?.terminate();
    this.#slot.clear('Another tab leads now.');
    this.#leader = undefined;
    this.#control.askWho();
  }

  /** A tab says that it leads. What it says may be old: the browser knows who holds the lock. */
  async #heard(leader: Leader): Promise<void> {
    const isKnown = leader.engine === this.#leader?.engine;
    if (isKnown || this.#own !== undefined || this.#left.signal.aborted) return;
    if ((await findLeader(this.#request.name))?.tab !== leader.tab) return;
    if (this.#own !== undefined || leader.engine === this.#leader?.engine) return;
    this.#leader = leader;
    this.#slot.clear('Another tab leads now.');
    this.#foreign = leader.protocol === PROTOCOL ? undefined : otherVersion(this.#request.name, leader.version);
    if (this.#foreign === undefined) await this.#linkTo(leader);
    else this.#slot.refuse(this.#foreign);
  }

  async #linkTo(leader: Leader): Promise<void> {
    while (this.#leader === leader && !this.#left.signal.aborted) {
      try {
        const link = await linkToLeader(leader, this.#request, { control: this.#control, broker: this.#broker });
        if (this.#leader === leader) this.#slot.put(link);
        else link.calls.fail(linkLost('Another tab leads now.'));
        return;
      } catch (error) {
        // A port that is insisted on and cannot be had will not come by waiting.
        if (this.#request.link === 'ports') this.#slot.refuse(error);
        await clock.sleep(LINK_AGAIN_MS);
      }
    }
  }

  /** A call has waited for long: asks the tab that leads whether it lives, and takes its place if it does not. */
  async #suspect(): Promise<void> {
    const { name } = this.#request;
    if (this.#own !== undefined || this.#election.leads || this.#left.signal.aborted) return;
    const holder = await findLeader(name);
    // Nobody: the lock is being passed on.
    if (holder === undefined) return;
    if (holder.tab === undefined) {
      this.#slot.refuse(otherVersion(name, 'in an older version'));
      return;
    }
    try {
      await this.#control.ask(holder.tab, { kind: 'ping' }, PING_MS_MAX);
      if (holder.tab !== this.#leader?.tab) this.#control.askWho();
    } catch {
      if (!this.#left.signal.aborted) await this.#election.depose(holder.tab);
    }
  }

  async #answer(question: Question, from: string): Promise<void> {
    if (question.kind === 'ping') return;
    if (question.kind === 'destroy') return this.#destroyOwn();
    const own = this.#own;
    if (own?.id !== question.engine) throw linkLost('This tab does not lead any more.');
    await own.attachChannel(from, question.channel);
    void whenReleased(lockNames.tab(this.#request.name, from), this.#left.signal).then(() => own.detach(from));
  }

  #attachPort(engine: string, port: MessagePort): void {
    // A port for an engine that is gone is dropped: its tab hears of the new one.
    if (this.#own?.id === engine) void this.#own.attachPort(port).catch(() => undefined);
  }

  async #destroyOwn(): Promise<void> {
    const own = this.#takeOwn();
    if (own === undefined) throw linkLost('This tab does not lead any more.');
    try {
      await own.destroy();
    } catch (error) {
      own.terminate();
      this.#election.giveUp();
      throw error;
    }
    await this.#tellGone('The database was deleted, here or in another tab; open it again.');
  }

  /** The browser has cleared the data, or other code has deleted them: no tab may take what is not there for empty. */
  async #dataLost(engine: EngineWorker, reason: string): Promise<void> {
    if (this.#own !== engine) return;
    this.#takeOwn()?.terminate();
    await this.#tellGone(closedError(reason).message);
  }

  /** Tells every tab that the database is gone, and keeps the lock until they have left. */
  async #tellGone(why: string): Promise<void> {
    if (!this.#isAlone) {
      this.#control.announceDestroyed(why);
      const until = clock.now() + LEAVE_MS_MAX;
      while (clock.now() < until && (await hasCandidates(this.#request.name))) await clock.sleep(10);
    }
    this.#destroyed(why);
  }

  /** The database is gone, by this tab's doing or not. */
  #destroyed(why: string): void {
    this.#isDestroyed = true;
    this.#left.abort();
    this.#takeOwn()?.terminate();
    void this.#leave(new ElanusError('closed', why));
  }

  async #leave(error: ElanusError): Promise<void> {
    this.#watch.stop();
    this.#slot.end(error);
    await this.#election.stop();
  }

  /** From here on the engine's end is not a death. */
  #takeOwn(): EngineWorker | undefined {
    const own = this.#own;
    this.#own = undefined;
    return own;
  }
}

async function endOf(link: EngineLink): Promise<never> {
  await link.calls.ended;
  throw linkLost('The leading tab has gone.');
}

function otherVersion(database: string, version: string): ElanusError {
  return new ElanusError(
    'locked',
    `Another tab runs Elanus ${version} and has the database ${database}; reload or close that tab.`,
    { details: { name: database, version } },
  );
}
