import { ElanusError } from '../core/base/error.ts';

/** A name held by this context; the browser lets go of it when the context ends, however it ends. */
export interface NameLock {
  release(): void;
}

/**
 * Takes the Web Lock of a database, or rejects with `locked` if another tab or worker has it open. Where there are no
 * Web Locks (an insecure origin) the manifest's term still fences a second owner.
 */
export async function lockName(name: string): Promise<NameLock> {
  if (navigator.locks === undefined) return { release: () => undefined };
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(`elanus:${name}`, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        reject(
          new ElanusError('locked', `The database ${name} is open in another tab or worker; close it there first.`, {
            details: { name },
          }),
        );
        return undefined;
      }
      return new Promise<void>((release) => resolve({ release }));
    });
    held.catch(reject);
  });
}
