import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Project, run } from '../node/package-fixture.ts';

/** Plain output, and nothing that calls home. */
const QUIET = { NO_COLOR: '1', FORCE_COLOR: '0', CI: '1', NEXT_TELEMETRY_DISABLED: '1' };

/** A server that a project's own tool runs. */
export interface ToolServer extends AsyncDisposable {
  readonly url: string;
}

/** Runs a tool that the project installed, `vite/bin/vite.js`, to its end. Rejects with all that it printed. */
export async function runTool(project: Project, tool: string, args: readonly string[]): Promise<string> {
  const file = join(project.folder, 'node_modules', tool);
  const env = { ...process.env, ...QUIET, NODE_ENV: undefined };
  try {
    return (await run(process.execPath, [file, ...args], { cwd: project.folder, env })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${tool} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Runs a tool that serves until it is stopped, and waits until it prints a local address. */
export async function serveTool(project: Project, tool: string, args: readonly string[]): Promise<ToolServer> {
  const file = join(project.folder, 'node_modules', tool);
  const env = { ...process.env, ...QUIET, NODE_ENV: undefined };
  // A group of its own: some tools serve from a child.
  const child = spawn(process.execPath, [file, ...args], { cwd: project.folder, env, detached: true });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    }
  };
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const port = /https?:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}/`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${tool} ${args.join(' ')} ended:\n${output}`)));
  });
  return { url, [Symbol.asyncDispose]: stop };
}
