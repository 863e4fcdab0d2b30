import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, launchChromium, type Project, run } from '../node/package-fixture.ts';
import { serveFolders } from '../node/page-server.ts';
import { readmeBlock } from '../node/readme-block.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { expectWorks, visit } from './visit.ts';

let browser: Browser;
let project: Project;

beforeAll(async () => {
  browser = await launchChromium();
  project = await installPackage({ dependencies: { esbuild: '0.28.2' } });
});

afterAll(async () => {
  await browser?.close();
  await project?.remove();
});

/** Runs commands as a person does in the project's folder. */
async function inShell(commands: string): Promise<void> {
  const PATH = `${join(project.folder, 'node_modules', '.bin')}:${process.env['PATH']}`;
  await run('sh', ['-e', '-c', commands], { cwd: project.folder, env: { ...process.env, PATH } });
}

describe('esbuild, which leaves addresses of files alone', () => {
  it("works with the README's copies and options", async () => {
    const openOptions = /open\(\{ name: '\w+', (.*) \}\)/.exec(readmeBlock('js esbuild'))?.[1];
    if (openOptions === undefined) throw new Error('The README must show an `open` with options for esbuild.');
    await project.write({
      'main.js': mainModule({
        openOptions,
        indexOptions: "wasmUrl: '/'",
        workerOptions: "wasmUrl: '/', workerUrl: '/vector-worker.js'",
      }),
      'public/index.html': pageHtml(),
    });
    await inShell(readmeBlock('sh esbuild'));
    await inShell('cp node_modules/elanus/dist/wasm/vector-worker.js public/');
    await using server = await serveFolders(join(project.folder, 'public'));
    await expectWorks(browser, `${server.origin}/`);
  });

  it.each([
    [
      'the worker',
      '',
      /^unavailable: The tab worker failed: .*copy `elanus\/dist\/browser\/engine-worker\.js`.*`workerUrl`/,
    ],
    ['the WASM', "workerUrl: '/engine-worker.js'", /^unavailable: The WASM core could not be loaded .*`wasmUrl`/],
  ])('says what to do about %s if it is not told where that is', async (_, openOptions, message) => {
    await project.write({ 'wrong.js': mainModule({ openOptions }), 'wrong/index.html': pageHtml('./wrong.js') });
    const worker = openOptions === '' ? '' : 'cp node_modules/elanus/dist/browser/engine-worker.js wrong/';
    await inShell(`esbuild wrong.js --bundle --format=esm --outdir=wrong\n${worker}`);
    await using server = await serveFolders(join(project.folder, 'wrong'));
    const page = await browser.newPage();
    const { failed } = await visit(page, `${server.origin}/`);
    await page.close();
    expect(failed).toMatch(message);
  });
});
