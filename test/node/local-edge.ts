import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalEdge, startLocalEdge } from '../../worker/cli/local-edge.ts';

export interface TestEdge extends LocalEdge, AsyncDisposable {
  readonly folder: string;
}

/** The Worker as `npm start` runs it, on a free port, with its data in a folder of its own that goes with it. */
export async function testEdge(options: { token?: string; page?: string } = {}): Promise<TestEdge> {
  const folder = await mkdtemp(join(tmpdir(), 'elanus-edge-'));
  const edge = await startLocalEdge({ port: 0, host: '127.0.0.1', folder, ...options });
  return {
    ...edge,
    folder,
    async [Symbol.asyncDispose]() {
      await edge.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
