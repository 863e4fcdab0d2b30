import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrace, traceCommand, whyNoTrace } from '../kill/file-trace.ts';
import { killRounds } from '../kill/loop.ts';
import { Violation } from '../kill/model.ts';
import { callOf } from '../kill/operation.ts';
import { PowerCut } from '../kill/power-cut.ts';
import { Tab } from '../kill/tab.ts';
import { launchKillable } from './chromium.ts';
import { serveEnginePage } from './page-server.ts';

/**
 * Power: a kill cannot show what a power cut loses, because what the browser gave to the system stays. Here strace notes
 * what the browser asked to be on the disk, and when.
 */

const why = whyNoTrace();
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const INSERTS = 12;

/** The negative control: the same engine, whose transactions do not ask for `strict` durability. */
const RELAXED = `
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (stores, mode) {
    return transaction.call(this, stores, mode, { durability: 'relaxed' });
  };`;

describe.skipIf(why !== undefined)(`what Chromium syncs${why === undefined ? '' : `: ${why}`}`, () => {
  it('is in IndexedDB’s files between each write and its acknowledgement', { timeout: 120_000 }, async () => {
    const strict = await syncsOfInserts('');
    expect(strict).toHaveLength(INSERTS);
    expect(Math.min(...strict), `syncs of each insert: ${strict}`).toBeGreaterThanOrEqual(1);
    const relaxed = await syncsOfInserts(RELAXED);
    // The browser's own upkeep of its files syncs now and then.
    const without = relaxed.filter((syncs) => syncs === 0).length;
    expect(without, `syncs without strict durability: ${relaxed}`).toBeGreaterThan(INSERTS / 2);
  });

  it(`is all that a power cut needs to leave (SEED=${seed})`, { timeout: 180_000 }, async () => {
    const report = await killRounds({ rounds: 3, seed, modes: ['power'] });
    expect(report.acknowledged).toBeGreaterThanOrEqual(10);
  });

  it('is not enough without strict durability', { timeout: 180_000 }, async () => {
    const lost = await killRounds({ rounds: 3, seed: 1, modes: ['power'], beforeWorker: RELAXED }).catch(
      (error: unknown) => error,
    );
    expect((lost as Error).cause).toBeInstanceOf(Violation);
  });
});

/** For inserts one after another, with pauses between them: how many syncs lie between each and its acknowledgement. */
async function syncsOfInserts(beforeWorker: string): Promise<number[]> {
  const server = await serveEnginePage(beforeWorker);
  const profile = await mkdtemp(join(tmpdir(), 'elanus-power-'));
  const trace = `${profile}.trace`;
  try {
    const chrome = await launchKillable(profile, traceCommand(trace));
    const spans: { readonly sent: number; readonly acknowledged: number }[] = [];
    try {
      const tab = await Tab.show(chrome, server.origin);
      await tab.open('power');
      for (let batch = 0; batch < INSERTS; batch++) {
        const call = callOf({ kind: 'write', method: 'insert', batch, keys: [batch] });
        spans.push(await tab.timed(call));
        await tab.page.waitForTimeout(40);
      }
    } finally {
      await chrome.kill();
    }
    const syncs = readTrace(await readFile(trace, 'utf8'), '/IndexedDB/').filter(({ kind }) => kind === 'sync');
    // The page's clock and the tracer's differ by less than a millisecond; nothing else is under way in the pauses.
    return spans.map(
      ({ sent, acknowledged }) =>
        syncs.filter(({ began, ended }) => began >= sent - 1 && ended <= acknowledged + 1).length,
    );
  } finally {
    await server.close();
    await rm(trace, { force: true });
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

describe('the trace of a browser', () => {
  const folder = '/p/IndexedDB/a.leveldb';
  const lines = [
    `7 1.000100 openat(AT_FDCWD</p>, "${folder}/1.log", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 9<${folder}/1.log> <0.000020>`,
    `7 1.001000 write(9<${folder}/1.log>, ""..., 100) = 100 <0.000010>`,
    `7 1.002000 fdatasync(9<${folder}/1.log> <unfinished ...>`,
    `8 1.002500 write(4</p/other>, ""..., 5) = 5 <0.000010>`,
    `8 1.003000 write(9<${folder}/1.log>, ""..., 50 <unfinished ...>`,
    `8 1.003500 <... write resumed>) = 50 <0.000500>`,
    `7 1.004000 <... fdatasync resumed>) = 0 <0.002000>`,
    `7 1.005000 openat(AT_FDCWD</p>, "${folder}/none", O_RDONLY) = -1 ENOENT (No such file or directory) <0.000010>`,
    `7 1.006000 rename("${folder}/1.log", "${folder}/2.log") = 0 <0.000010>`,
    '7 1.007000 fdatasync(9 <unfinished ...>',
    '7 1.008000 +++ killed by SIGKILL +++',
  ];

  it('is read with calls that others interrupt, without those that failed or never ended', () => {
    const events = readTrace(lines.join('\n'), '/IndexedDB/');
    expect(events.map(({ kind }) => kind)).toEqual(['open', 'write', 'write', 'sync', 'rename']);
    expect(events.map((event) => (event.kind === 'write' ? event.bytes : 0))).toEqual([0, 100, 50, 0, 0]);
    const sync = events[3];
    expect([sync?.began, sync?.ended].map((at) => Math.round(at ?? 0))).toEqual([1002, 1004]);
  });

  it('says that a sync holds for what was written before it began', async () => {
    const root = await mkdtemp(join(tmpdir(), 'elanus-cut-'));
    const here = lines.join('\n').replaceAll('/p/', `${root}/`);
    await mkdir(join(root, 'IndexedDB', 'a.leveldb'), { recursive: true });
    const file = join(root, 'IndexedDB', 'a.leveldb', '2.log');
    await writeFile(file, 'x'.repeat(150));
    await writeFile(join(root, 'IndexedDB', 'never-synced'), 'x');
    const powerCut = new PowerCut();
    powerCut.replay(readTrace(here, '/IndexedDB/'));
    expect(await powerCut.cut(join(root, 'IndexedDB'))).toBe(50);
    expect((await stat(file)).size).toBe(100);
    await expect(stat(join(root, 'IndexedDB', 'never-synced'))).rejects.toThrow();
    await rm(root, { recursive: true });
  });
});
