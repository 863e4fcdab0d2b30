import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `npm run bench`: exact search against plain JavaScript, then acknowledged inserts on each local store. */
for (const script of ['flat.ts', 'inserts.ts']) {
  console.log(`\n== ${script}`);
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
