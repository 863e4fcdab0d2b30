import { type BrowserDatabase, type OpenOptions, open } from '../../browser/index.ts';
import type { Int64Mode } from '../../core/elanus.ts';

let names = 0;

/** A database name that no other test uses. */
export function freshName(): string {
  names += 1;
  return `test-${crypto.randomUUID()}-${names}`;
}

/** `open` with the workers that the sources make; a page of the package needs neither address. */
export function openSource<Mode extends Int64Mode = 'number'>(
  name: string,
  options: Omit<OpenOptions<Mode>, 'name'> = {},
): Promise<BrowserDatabase<Mode>> {
  return open<Mode>({ name, workerUrl: '/engine-worker.js', wasmUrl: '/dist/wasm/', ...options });
}
