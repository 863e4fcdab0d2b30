import { afterEach, describe, expect, test } from 'vitest';
import type { BrowserDatabase } from '../../browser/index.ts';
import type { Change } from '../../core/elanus.ts';
import { failure } from '../conformance/engine.ts';
import { freshName, openSource } from './engine.ts';

// Two openers in one page are two tabs to the engine. What one of them hears was written by the other.

const place = { collectionName: 'docs' };
const opened: BrowserDatabase[] = [];

async function openTab(name: string, link: 'auto' | 'broadcast' = 'auto'): Promise<BrowserDatabase> {
  const db = await openSource<'number'>(name, { link });
  opened.push(db);
  return db;
}

function insert(db: BrowserDatabase, ...ids: number[]): Promise<unknown> {
  return db.insert({ ...place, data: ids.map((id) => ({ id, vector: [id, 1] })) });
}

/** What a live search shows, and a way to wait until it has shown this. */
class Screen {
  readonly shown: unknown[][] = [];
  #look: () => void = () => undefined;

  readonly show = (lists: readonly (readonly Record<string, unknown>[])[]): void => {
    this.shown.push((lists[0] ?? []).map((hit) => hit['id']));
    this.#look();
  };

  until(ids: readonly number[]): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (JSON.stringify(this.shown.at(-1)) === JSON.stringify(ids)) resolve();
      };
      this.#look();
    });
  }
}

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close().catch(() => undefined);
});

describe.each(['auto', 'broadcast'] as const)('changes of another tab, by %s', (link) => {
  const body = { data: [[0, 1]], limit: 2 };

  test('a live search in either tab follows what the other writes', async () => {
    const name = freshName();
    const leader = await openTab(name);
    const follower = await openTab(name, link);
    await leader.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    const screens = [leader, follower].map((db) => {
      const screen = new Screen();
      db.collection('docs').liveSearch(body, screen.show);
      return screen;
    });
    const all = (ids: readonly number[]): Promise<unknown> => Promise.all(screens.map((screen) => screen.until(ids)));
    await all([]);
    await insert(follower, 5, 6);
    await all([5, 6]);
    await insert(leader, 2);
    await all([2, 5]);
    await follower.delete({ ...place, ids: [5] });
    await all([2, 6]);
    await leader.destroy();
  });

  test('a live search goes on when the leader closes, and the next one’s writes are heard', async () => {
    const name = freshName();
    const leader = await openTab(name);
    const follower = await openTab(name, link);
    const third = await openTab(name, link);
    await leader.createCollection({ ...place, dimension: 2, metricType: 'L2' });
    const screen = new Screen();
    const live = follower.collection('docs').liveSearch(body, screen.show);
    await insert(leader, 5);
    await screen.until([5]);
    const writing = insert(third, 3);
    await leader.close();
    await writing;
    await screen.until([3, 5]);
    await insert(third, 1);
    await screen.until([1, 3]);
    live.stop();
    await third.destroy();
  });

  test('a subscription hears each change once, keys as numbers, until it is ended', async () => {
    const name = freshName();
    const leader = await openTab(name);
    const follower = await openTab(name, link);
    await leader.createCollection({ ...place, dimension: 2 });
    const heard: unknown[] = [];
    const waiting = Promise.withResolvers<void>();
    const end = follower.collection('docs').subscribe(({ kind, keys, count }: Change<readonly unknown[]>) => {
      heard.push([kind, keys, count]);
      if (kind === 'drop') waiting.resolve();
    });
    await insert(leader, 1, 2);
    await follower.delete({ ...place, ids: [1] });
    await leader.dropCollection(place);
    await waiting.promise;
    end();
    expect(heard).toEqual([
      ['write', [1, 2], 2],
      ['delete', [1], 1],
      ['drop', undefined, 0],
    ]);
    await leader.createCollection({ ...place, dimension: 2 });
    await insert(leader, 7);
    expect(await follower.count(place)).toBe(1);
    expect(heard.length).toBe(3);
    await leader.destroy();
  });
});

test('the dropping of a collection by another tab ends a live search with not-found', async () => {
  const name = freshName();
  const first = await openTab(name);
  const second = await openTab(name);
  await first.createCollection({ ...place, dimension: 2 });
  const ended = failure(
    new Promise((_, onError) => {
      first.collection('docs').liveSearch({ data: [[0, 1]], limit: 2 }, () => undefined, { onError });
    }),
  );
  await second.dropCollection(place);
  expect((await ended).code).toBe('not-found');
  await second.destroy();
});
