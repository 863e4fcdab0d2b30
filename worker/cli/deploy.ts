import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage, buildPage } from './build.ts';
import { deployConfig } from './deploy-config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const wrangler = join(root, 'node_modules', '.bin', 'wrangler');

const USAGE = `npm run deploy [-- --open] [-- --dry-run] [-- --no-page] [-- --no-build]

Publishes Elanus to the Cloudflare account that wrangler is logged in to (npx wrangler login).
  --open      publish without a token: everybody who knows the address may read, write and delete
  --dry-run   build everything, publish nothing; needs no network and no account
  --no-page   the API alone, without the demo page
  --no-build  publish what was built before`;

const NO_TOKEN = `Refusing to publish without a token: everybody who knows the address could read, write and delete.

Choose a long random one, and give it once:
  ELANUS_TOKEN=… npm run deploy
or set it as the Worker's secret and deploy again:
  npx wrangler secret put ELANUS_TOKEN --name elanus
If that is what you want, publish an open instance: npm run deploy -- --open`;

const NO_BUCKET = `If wrangler says that the bucket does not exist, create it once and deploy again:
  npx wrangler r2 bucket create elanus`;

/** Exits with 1 if nothing was published, and says what to do. */
async function main(): Promise<number> {
  const flags = new Set(process.argv.slice(2));
  if (flags.has('--help')) {
    console.log(USAGE);
    return 0;
  }
  const known = ['--open', '--dry-run', '--no-page', '--no-build'];
  const unknown = [...flags].find((flag) => !known.includes(flag));
  if (unknown !== undefined) return refuse(`There is no option ${unknown}.\n\n${USAGE}`);
  const dryRun = flags.has('--dry-run');
  const token = process.env['ELANUS_TOKEN'] ?? '';
  if (!flags.has('--open') && token === '' && (dryRun || !hasSecret())) return refuse(NO_TOKEN);

  if (!flags.has('--no-build')) {
    await buildPackage();
    if (!flags.has('--no-page')) await buildPage();
  }
  const page = join(root, 'dist', 'demo');
  const hasPage = !flags.has('--no-page') && existsSync(join(page, 'index.html'));
  const config = writeConfig(hasPage ? page : undefined);
  const args = ['deploy', '--config', config];
  if (dryRun) args.push('--dry-run', '--outdir', join(root, 'dist', 'deploy'));
  const secrets = dryRun || token === '' ? undefined : writeSecrets(token);
  if (secrets !== undefined) args.push('--secrets-file', secrets);
  try {
    const { status } = runWrangler(args, 'inherit');
    return status === 0 ? 0 : refuse(NO_BUCKET);
  } finally {
    if (secrets !== undefined) rmSync(dirname(secrets), { recursive: true });
  }
}

/** Whether the Worker that is published has the secret already. False if there is none, or if nobody is logged in. */
function hasSecret(): boolean {
  const { status, stdout } = runWrangler(['secret', 'list', '--name', 'elanus', '--format', 'json'], 'pipe');
  if (status !== 0) return false;
  try {
    return (JSON.parse(stdout) as { name: string }[]).some(({ name }) => name === 'ELANUS_TOKEN');
  } catch {
    return false;
  }
}

/** The configuration as published: `wrangler.jsonc`, and the page if there is one. */
function writeConfig(page: string | undefined): string {
  const folder = join(root, '.wrangler');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'deploy.json');
  const source = readFileSync(join(root, 'worker', 'wrangler.jsonc'), 'utf8');
  const paths = { main: '../worker/index.ts', ...(page === undefined ? {} : { page: relative(folder, page) }) };
  writeFileSync(file, JSON.stringify(deployConfig(source, paths), undefined, 2));
  return file;
}

/** In a folder that only this user can read, and not in the arguments, which everybody on the machine can see. */
function writeSecrets(token: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'elanus-')), 'secrets.json');
  writeFileSync(file, JSON.stringify({ ELANUS_TOKEN: token }), { mode: 0o600 });
  return file;
}

function runWrangler(args: readonly string[], output: 'inherit' | 'pipe'): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(wrangler, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['inherit', output, output],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false' },
  });
  return { status, stdout: stdout ?? '' };
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

process.exitCode = await main();
