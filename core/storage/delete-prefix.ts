import { DELETE_KEYS_MAX } from '../model/limits.ts';
import type { ObjectStore } from './object-store.ts';

/** Deletes every object under a prefix, as the listing at this call shows them. */
export async function deletePrefix(objects: ObjectStore, prefix: string): Promise<void> {
  let keys: string[] = [];
  for await (const { key } of objects.list(prefix)) {
    keys.push(key);
    if (keys.length === DELETE_KEYS_MAX) {
      await objects.delete(keys);
      keys = [];
    }
  }
  if (keys.length > 0) await objects.delete(keys);
}
