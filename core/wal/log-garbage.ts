import type { ObjectStore } from '../storage/object-store.ts';
import { comparePositions, type Position } from './log.ts';
import { type LogHost, LogObjects } from './log-objects.ts';
import { LOG_RULES, type LogRules } from './log-rules.ts';

/**
 * Deletes the frames below the truncation point: a crash between root and deletes has left them, or a late duplicate.
 * Fences stay. Safe at any time and by anyone, for the truncation point never goes back; resolves to the number of
 * frames deleted.
 */
export async function collectLogGarbage(
  store: ObjectStore,
  channel: string,
  host: LogHost,
  rules: LogRules = LOG_RULES,
): Promise<number> {
  const objects = new LogObjects(store, channel, host);
  const { truncatedTo } = (await objects.readRoot()).root;
  const garbage: Position[] = [];
  for await (const { position, size } of objects.listFrames()) {
    if (comparePositions(position, truncatedTo) >= 0) break;
    if (!rules.isKept(size)) garbage.push(position);
  }
  await objects.deleteFrames(garbage);
  return garbage.length;
}
