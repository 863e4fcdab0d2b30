import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deployConfig } from '../../worker/cli/deploy-config.ts';
import { LOCAL_WORKER, LOCAL_WORKER_FIRST } from '../../worker/cli/local-edge.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = readFileSync(join(root, 'worker', 'wrangler.jsonc'), 'utf8');

function deploy(args: readonly string[], env: Record<string, string> = {}): { status: number | null; text: string } {
  // Of the surroundings only what a program needs to run: no account, no token.
  const { PATH = '', HOME = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'worker', 'cli', 'deploy.ts'), '--no-build', '--no-page', ...args],
    { cwd: root, encoding: 'utf8', env: { PATH, HOME, CI: 'true', ...env } },
  );
  return { status, text: stdout + stderr };
}

describe('npm run deploy', () => {
  it('refuses to publish without a token, and says what to do', () => {
    const { status, text } = deploy(['--dry-run']);
    expect(status).toBe(1);
    expect(text).toContain('Refusing to publish without a token');
    expect(text).toContain('--open');
  });

  it.each([
    ['with a token', [], { ELANUS_TOKEN: 'very secret' }],
    ['open, when told so', ['--open'], {}],
  ])('builds what would be published %s, offline, and never shows the token', (_, args, env) => {
    const { status, text } = deploy(['--dry-run', ...args], env as Record<string, string>);
    expect(text).toContain('--dry-run: exiting now.');
    expect(status).toBe(0);
    expect(text).not.toContain('very secret');
    for (const binding of ['OBJECTS', 'COORDINATOR', 'CHANNELS']) expect(text).toContain(binding);
  });

  it('knows its options', () => {
    const { status, text } = deploy(['--opne']);
    expect(status).toBe(1);
    expect(text).toContain('There is no option --opne');
  });
});

describe('the configuration', () => {
  it('is the same for the local edge as for Cloudflare', () => {
    const config = deployConfig(source, { main: 'index.ts' }) as {
      name: string;
      compatibility_date: string;
      r2_buckets: { binding: string; bucket_name: string }[];
      durable_objects: { bindings: { name: string; class_name: string }[] };
      migrations: { new_sqlite_classes: string[] }[];
    };
    expect(LOCAL_WORKER).toEqual({
      name: config.name,
      compatibilityDate: config.compatibility_date,
      r2Buckets: Object.fromEntries(
        config.r2_buckets.map(({ binding, bucket_name }) => [binding, { id: bucket_name }]),
      ),
      durableObjects: Object.fromEntries(
        config.durable_objects.bindings.map(({ name, class_name }) => [
          name,
          {
            className: class_name,
            useSQLite: config.migrations.some((step) => step.new_sqlite_classes.includes(class_name)),
          },
        ]),
      ),
    });
  });

  it('has the page as assets that the API never reaches', () => {
    const withPage = deployConfig(source, { main: 'index.ts', page: 'demo' });
    expect(withPage['assets']).toEqual({ directory: 'demo', run_worker_first: LOCAL_WORKER_FIRST });
    expect(withPage['$schema']).toBeUndefined();
    expect(deployConfig('{ // why\n "a": "x//y", /* and */ "b": 1 }', { main: 'm' })).toEqual({
      a: 'x//y',
      b: 1,
      main: 'm',
    });
  });
});
