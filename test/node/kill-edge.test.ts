import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { connect } from '../../core/client/connect.ts';

/**
 * workerd is killed (SIGKILL) under writers, again and again, and started anew: what was acknowledged is there, and no
 * request is there in part.
 */

const ROUNDS = 6;
const WRITERS = 4;
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const random = seededRandom(seed);
const start = fileURLToPath(new URL('../../worker/cli/start.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'elanus-kill-'));
const running = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of running) for (const pid of [...childrenOf(child.pid as number), child.pid as number]) kill(pid);
  await rm(folder, { recursive: true, force: true });
});

interface Written {
  /** Rows of requests that were acknowledged: the batch that each belongs to, by key; absent once its delete was. */
  readonly acknowledged: Map<number, number>;
  readonly deleted: Set<number>;
  /** Keys whose delete was sent and not acknowledged. */
  readonly maybeDeleted: Set<number>;
  /** Keys of each request that was sent, by its number. */
  readonly batches: Map<number, number[]>;
}

it.skipIf(process.platform !== 'linux')(
  `loses nothing that was acknowledged (SEED=${seed}; Linux only: it finds workerd in /proc)`,
  { timeout: 180_000 },
  async () => {
    const written: Written = {
      acknowledged: new Map(),
      deleted: new Set(),
      maybeDeleted: new Set(),
      batches: new Map(),
    };
    let nextKey = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { child, url, pids } = await startEdge();
      await using db = connect({ url });
      if (round === 0) {
        await db.createCollection({ collectionName: 'rows', dimension: 2, params: { shardsNum: 1 } });
      } else {
        await check(url, written);
      }
      // Every other round ends the moment an acknowledgement has come, every other in the midst of whatever goes on.
      const killAtAcknowledgement = round % 2 === 0;
      let isTime = false;
      let isDead = false;
      const end = (): void => {
        // At once; nobody looks around first.
        if (!isDead) for (const pid of pids) kill(pid);
        isDead = true;
      };
      const writer = async (): Promise<void> => {
        while (!isDead) {
          const batch = nextKey;
          const keys = Array.from({ length: 1 + (random() % 20) }, () => nextKey++);
          written.batches.set(batch, keys);
          try {
            const data = keys.map((id) => ({ id, vector: [id, 1], batch }));
            await db.insert({ collectionName: 'rows', data });
            for (const id of keys) written.acknowledged.set(id, batch);
            if (isTime) end();
            if (random() % 4 === 0) {
              const [gone = 0] = keys;
              written.maybeDeleted.add(gone);
              await db.delete({ collectionName: 'rows', ids: [gone] });
              written.deleted.add(gone);
            }
            if (random() % 16 === 0) await db.flush({ collectionName: 'rows' });
          } catch (error) {
            // Only a death may refuse a write, and then nobody knows.
            if (!isDead) throw error;
          }
        }
      };
      const writers = Array.from({ length: WRITERS }, writer);
      const stopped = Promise.all(writers);
      stopped.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300 + (random() % 1500)));
      const exited = once(child, 'exit');
      isTime = true;
      if (!killAtAcknowledgement) end();
      // A writer that fails before its time fails the test.
      await Promise.all([exited, stopped]);
      running.delete(child);
    }
    const { child, url } = await startEdge();
    await check(url, written);
    child.kill('SIGTERM');
    await once(child, 'exit');
    running.delete(child);
    expect(written.acknowledged.size).toBeGreaterThan(ROUNDS * WRITERS);
  },
);

/** Asks for all rows, page by page, and holds them against what was written. */
async function check(url: string, written: Written): Promise<void> {
  await using db = connect({ url });
  const found = new Map<number, number>();
  for (let after = 0; ; ) {
    const rows = await db.query({
      collectionName: 'rows',
      filter: `id > ${after}`,
      outputFields: ['batch'],
      limit: 5000,
    });
    for (const row of rows) found.set(row['id'] as number, row['batch'] as number);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last['id'] as number;
  }
  expect(await db.count({ collectionName: 'rows' })).toBe(found.size);
  const lost = [...written.acknowledged].filter(
    ([id, batch]) => !written.maybeDeleted.has(id) && found.get(id) !== batch,
  );
  expect(lost, 'acknowledged rows that are not there').toEqual([]);
  expect(
    [...written.deleted].filter((id) => found.has(id)),
    'acknowledged deletes that are undone',
  ).toEqual([]);
  for (const [batch, keys] of written.batches) {
    const there = keys.filter((id) => found.has(id));
    const mayLack = keys.filter((id) => written.maybeDeleted.has(id)).length;
    if (there.length !== 0)
      expect(there.length, `request ${batch} is there in part`).toBeGreaterThanOrEqual(keys.length - mayLack);
  }
}

async function startEdge(): Promise<{ child: ChildProcess; url: string; pids: readonly number[] }> {
  const child = spawn(process.execPath, [start, '--no-build'], {
    env: { ...process.env, PORT: '0', ELANUS_FOLDER: folder, ELANUS_TOKEN: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  // A child that ends has said why on stderr.
  const [line] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
  const url = /http:\/\/[\d.]+:\d+/.exec(String(line))?.[0];
  expect(url, String(line)).toBeDefined();
  // workerd before what started it, which would start another.
  const pids = [...childrenOf(child.pid as number), child.pid as number];
  expect(pids.length).toBeGreaterThan(1);
  return { child, url: url as string, pids };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** The children of exactly this process: column 4 of `/proc/<pid>/stat`, behind the name in parentheses. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
