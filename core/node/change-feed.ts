import { codeOf } from '../base/error.ts';
import type { Change } from '../model/change.ts';
import type { Platform } from '../platform.ts';

/** Hears of changes. What it throws is its own: it reaches the host as an unhandled rejection. */
export type ChangeListener = (change: Change) => void;

/** Tells listeners of one thread what was committed, in the order in which it was. */
export class ChangeFeed {
  readonly #listeners = new Set<{ readonly listener: ChangeListener }>();

  /** What a role calls; undefined while nobody listens, so that a change costs nothing then. */
  get announce(): ChangeListener | undefined {
    return this.#listeners.size === 0 ? undefined : (change) => this.#tell(change);
  }

  /** The answer ends the subscription; it may be called again. */
  subscribe(listener: ChangeListener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  #tell(change: Change): void {
    for (const entry of [...this.#listeners]) {
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.listener(change);
      } catch (error) {
        void Promise.reject(error);
      }
    }
  }
}

/** Announces a change where somebody may listen. The work that made it is done: a failure here changes nothing. */
export function announceChange(platform: Platform, makeChange: () => Change | undefined): void {
  const { announce } = platform;
  if (announce === undefined) return;
  const change = makeChange();
  if (change === undefined) return;
  try {
    announce(change);
  } catch (error) {
    platform.trace?.({ name: 'announce-failed', details: { kind: change.kind, code: codeOf(error) } });
  }
}
