/**
 * Web Locks: who leads, and who lives. The browser lets go of a lock when the context that holds it ends, however it
 * ends, so waiting for a lock is how a death is noticed, without polling.
 */

/** The names of a database's locks. */
export const lockNames = {
  leader: (database: string): string => `elanus:${database}`,
  tab: (database: string, tab: string): string => `elanus:${database}:tab:${tab}`,
  engine: (database: string, engine: string): string => `elanus:${database}:engine:${engine}`,
  steal: (database: string): string => `elanus:${database}:steal`,
};

/** A lock that this context holds. */
export interface HeldLock {
  release(): void;
  /** Resolves when the lock is no longer held: it was released, or another context has stolen it. */
  readonly ended: Promise<void>;
}

/** An insecure origin has none, and old browsers. */
export function hasLocks(): boolean {
  return navigator.locks !== undefined;
}

let works: Promise<boolean> | undefined;

/** Whether they are given as well: where a person lets no site store anything, the browser has locks and refuses them. */
export function locksWork(): Promise<boolean> {
  works ??= hasLocks()
    ? navigator.locks.query().then(
        () => true,
        () => false,
      )
    : Promise.resolve(false);
  return works;
}

/** Waits for a lock and holds it. Rejects with the signal's reason if that comes first. */
export function holdLock(
  name: string,
  options: { readonly signal?: AbortSignal; readonly steal?: boolean } = {},
): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    let held: Promise<void> | undefined;
    held = navigator.locks.request(
      name,
      { ...options },
      () =>
        new Promise<void>((release) => {
          // The request has not returned yet in a browser that grants at once.
          queueMicrotask(() => resolve({ release, ended: (held as Promise<void>).catch(() => undefined) }));
        }),
    );
    held.catch(reject);
  });
}

/** Resolves when nobody holds the lock: its holder is gone. Resolves too when the signal is aborted. */
export async function whenReleased(name: string, signal: AbortSignal): Promise<void> {
  try {
    await navigator.locks.request(name, { mode: 'shared', signal }, () => undefined);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Whether some context holds the lock, as far as this one sees. */
export async function isHeld(name: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === name);
}

/** Who leads, as the browser itself knows it: the tab, or that it is none that could be asked. */
export async function findLeader(database: string): Promise<{ readonly tab: string | undefined } | undefined> {
  const { held = [] } = await navigator.locks.query();
  const holder = held.find(({ name }) => name === lockNames.leader(database));
  if (holder === undefined) return undefined;
  const prefix = lockNames.tab(database, '');
  const tab = held.find(({ name, clientId }) => clientId === holder.clientId && name?.startsWith(prefix));
  return { tab: tab?.name?.slice(prefix.length) };
}

/** Whether anybody waits for the lead of a database. */
export async function hasCandidates(database: string): Promise<boolean> {
  const { pending = [] } = await navigator.locks.query();
  return pending.some(({ name }) => name === lockNames.leader(database));
}
