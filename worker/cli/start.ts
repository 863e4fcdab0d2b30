import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage, buildPage } from './build.ts';
import { PortError, startLocalEdge } from './local-edge.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `npm start`: builds the WASM core, the package and the page, and serves API and page on one port.
 *
 * | variable | meaning |
 * |---|---|
 * | `PORT` | 8787 by default |
 * | `HOST` | 127.0.0.1 by default; 0.0.0.0 lets other machines in |
 * | `ELANUS_FOLDER` | where the data lies; `.elanus` of the project by default |
 * | `ELANUS_TOKEN` | what every call must present; nothing by default |
 *
 * `--no-build` serves what was built before.
 */
async function main(): Promise<void> {
  const { HOST = '127.0.0.1', ELANUS_FOLDER = join(root, '.elanus'), ELANUS_TOKEN = '' } = process.env;
  const port = portOf(process.env['PORT']);
  if (!process.argv.includes('--no-build')) {
    await buildPackage();
    await buildPage();
  }
  const edge = await startLocalEdge({
    port,
    host: HOST,
    folder: ELANUS_FOLDER,
    page: join(root, 'dist', 'demo'),
    ...(ELANUS_TOKEN === '' ? {} : { token: ELANUS_TOKEN }),
  });
  console.log(`Elanus is ready at ${edge.url} (API: ${edge.url}/v2/vectordb, data: ${ELANUS_FOLDER})`);

  const stop = (): void => {
    // A second signal means that somebody does not want to wait.
    process.once('SIGINT', () => process.exit(130));
    edge.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  // Miniflare would end this process at the first signal, before workerd has been stopped.
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return 8787;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new PortError(`PORT must be a number from 0 to 65535, not ${JSON.stringify(text)}.`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof PortError ? error.message : String((error as Error)?.stack ?? error)}\n`);
  process.exit(1);
});
