import { ElanusError, fromPlainError, type PlainError, toPlainError } from '../../core/base/error.ts';
import { VERSION } from '../../core/version.ts';

/** Grows with every change of what tabs say to each other: tabs of different builds may have one database open. */
export const PROTOCOL = 2;

/** The tab that owns the data now, and the engine that answers for it. */
export interface Leader {
  readonly tab: string;
  readonly engine: string;
  /** The SharedWorker that can carry a port to the leader; undefined where it has none. */
  readonly broker: string | undefined;
  readonly protocol: number;
  readonly version: string;
}

/** What one tab asks another. */
export type Question =
  | { readonly kind: 'ping' }
  /** Serve me over the BroadcastChannel of this name. */
  | { readonly kind: 'attach'; readonly engine: string; readonly channel: string }
  /** Delete the whole database. */
  | { readonly kind: 'destroy' };

type ControlMessage =
  | { readonly type: 'who' }
  | { readonly type: 'leader'; readonly leader: Leader }
  | { readonly type: 'destroyed'; readonly why: string }
  | {
      readonly type: 'ask';
      readonly ask: number;
      readonly from: string;
      readonly to: string;
      readonly question: Question;
    }
  | { readonly type: 'answer'; readonly ask: number; readonly to: string; readonly error?: PlainError };

/** What a tab does about what it hears. */
export interface ControlListener {
  onWho(): void;
  onLeader(leader: Leader): void;
  /** @param why a sentence for whoever still uses the database */
  onDestroyed(why: string): void;
  onQuestion(question: Question, from: string): Promise<void>;
}

interface Asked {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What the tabs of one database say to each other: who leads, questions with answers. Every message reaches every tab,
 * and none may be large. A tab that hears nothing of its question cannot tell why: it gives its waiting a bound.
 */
export class ControlChannel {
  readonly #channel: BroadcastChannel;
  readonly #tab: string;
  readonly #listener: ControlListener;
  readonly #asked = new Map<number, Asked>();
  #next = 1;

  constructor(database: string, tab: string, listener: ControlListener) {
    this.#tab = tab;
    this.#listener = listener;
    this.#channel = new BroadcastChannel(`elanus:${database}`);
    this.#channel.addEventListener('message', (event) => this.#heard(event.data as ControlMessage));
  }

  askWho(): void {
    this.#post({ type: 'who' });
  }

  announceLeader(leader: Omit<Leader, 'protocol' | 'version'>): void {
    this.#post({ type: 'leader', leader: { ...leader, protocol: PROTOCOL, version: VERSION } });
  }

  announceDestroyed(why: string): void {
    this.#post({ type: 'destroyed', why });
  }

  /** Resolves with the other tab's consent, rejects with its error, or with `timeout` after `timeoutMs`. */
  ask(to: string, question: Question, timeoutMs?: number): Promise<void> {
    const ask = this.#next++;
    return new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        this.#asked.delete(ask);
        if (timer !== undefined) clearTimeout(timer);
      };
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              stop();
              reject(new ElanusError('timeout', `The leading tab did not answer within ${timeoutMs} ms.`));
            }, timeoutMs);
      this.#asked.set(ask, {
        resolve: () => {
          stop();
          resolve();
        },
        reject: (error) => {
          stop();
          reject(error);
        },
      });
      this.#post({ type: 'ask', ask, from: this.#tab, to, question });
    });
  }

  /** Ends all waiting questions with this error. */
  close(error: ElanusError): void {
    for (const { reject } of [...this.#asked.values()]) reject(error);
    this.#channel.close();
  }

  #heard(message: ControlMessage): void {
    switch (message.type) {
      case 'who':
        this.#listener.onWho();
        return;
      case 'leader':
        this.#listener.onLeader(message.leader);
        return;
      case 'destroyed':
        this.#listener.onDestroyed(message.why);
        return;
      case 'ask':
        if (message.to === this.#tab) this.#answer(message.ask, message.from, message.question);
        return;
      case 'answer': {
        if (message.to !== this.#tab) return;
        const asked = this.#asked.get(message.ask);
        if (message.error === undefined) asked?.resolve();
        else asked?.reject(fromPlainError(message.error));
        return;
      }
      // A message of another build's protocol is not for this one.
    }
  }

  #answer(ask: number, from: string, question: Question): void {
    this.#listener.onQuestion(question, from).then(
      () => this.#post({ type: 'answer', ask, to: from }),
      (error: unknown) => this.#post({ type: 'answer', ask, to: from, error: toPlainError(error) }),
    );
  }

  #post(message: ControlMessage): void {
    try {
      this.#channel.postMessage(message);
    } catch {
      // Closed meanwhile: nobody waits for what this tab says.
    }
  }
}
