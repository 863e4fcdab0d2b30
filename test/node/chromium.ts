import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright';
import { CHROME_FLAGS, findChrome } from '../chrome.ts';

const FLAGS = ['--headless=new', '--remote-debugging-port=0', ...CHROME_FLAGS, 'about:blank'];

/** A Chromium whose process is ours to kill, over a profile that outlives it. */
export interface KillableBrowser {
  readonly browser: Browser;
  page(): Promise<Page>;
  /** SIGKILL to the browser and all its processes, as a crash or the system would end it. */
  kill(): Promise<void>;
}

/** @param under a command that runs the browser, and ends when it has ended; it is not killed itself */
export async function launchKillable(profile: string, under: readonly string[] = []): Promise<KillableBrowser> {
  const path = findChrome() ?? chromium.executablePath();
  const portFile = join(profile, 'DevToolsActivePort');
  await rm(portFile, { force: true });
  const [command = path, ...given] = [...under, path, `--user-data-dir=${profile}`, ...FLAGS];
  const child = spawn(command, given, { stdio: 'ignore', detached: true });
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${await debuggingPort(portFile, child)}`);
  return {
    browser,
    page: async () => (await browser.contexts()[0]?.newPage()) as Page,
    kill: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.pid !== undefined && under.length === 0) process.kill(-child.pid, 'SIGKILL');
      else if (child.pid !== undefined) await killBelow(child.pid);
      await ended;
      await browser.close().catch(() => undefined);
      // A profile is locked by a name that a killed browser leaves behind.
      for (const name of ['SingletonLock', 'SingletonCookie', 'SingletonSocket'])
        await rm(join(profile, name), { force: true });
    },
  };
}

async function debuggingPort(portFile: string, child: ChildProcess): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = Number.parseInt(await readFile(portFile, 'utf8').catch(() => ''), 10);
    if (Number.isInteger(port)) return port;
    if (child.exitCode !== null) throw new Error(`The browser ended with ${child.exitCode} before it was ready.`);
    await sleep(50);
  }
  throw new Error('The browser did not say its debugging port within 10 seconds.');
}

/** Kills all processes of a group except the one that leads it, the eldest first. */
async function killBelow(leader: number): Promise<void> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const id of processes.sort((one, other) => one - other)) {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    if (group !== leader || id === leader) continue;
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
