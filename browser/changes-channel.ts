import { ElanusError } from '../core/base/error.ts';

/**
 * Where changes are announced. Throws `unsupported` where the browser refuses it: Firefox lets a site that may store
 * nothing have no BroadcastChannel either.
 */
export function openChangesChannel(name: string): BroadcastChannel {
  try {
    return new BroadcastChannel(name);
  } catch (error) {
    throw new ElanusError(
      'unsupported',
      'This browser lets the page have no BroadcastChannel: changes are not announced.',
      {
        cause: error,
      },
    );
  }
}
