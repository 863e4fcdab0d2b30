import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, launchChromium, type Project } from '../node/package-fixture.ts';
import { type PageServer, serveFolders, serveFoldersWith } from '../node/page-server.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { runTool } from './program.ts';
import { expectWorks, visit } from './visit.ts';

/** A server of packages, as a CDN is one: another origin than the page's, which may import from it. */
let cdn: PageServer;
let silent: PageServer;
let site: PageServer;
let browser: Browser;
let project: Project;

beforeAll(async () => {
  browser = await launchChromium();
  project = await installPackage({ dependencies: { vite: '8.3.8' } });
  const packages = join(project.folder, 'node_modules');
  cdn = await serveFoldersWith({ 'Access-Control-Allow-Origin': '*' }, packages, join(project.folder, 'dist'));
  silent = await serveFolders(packages);
  site = await serveFolders(join(project.folder, 'site'));
});

afterAll(async () => {
  await Promise.all([browser?.close(), cdn?.close(), silent?.close(), site?.close()]);
  await project?.remove();
});

describe('a page whose code comes from another origin', () => {
  it('imports the entries as one file each, with no bundler', async () => {
    const main = mainModule({
      browser: `${cdn.origin}/elanus/dist/browser/standalone.js`,
      vector: `${cdn.origin}/elanus/dist/wasm/standalone.js`,
    });
    await project.write({ 'site/file/index.html': pageHtml(), 'site/file/main.js': main });
    await expectWorks(browser, `${site.origin}/file/`, 'broadcast');
  });

  it('names the packages in an import map', async () => {
    const imports = {
      'elanus/browser': `${cdn.origin}/elanus/dist/browser/index.js`,
      'elanus/vector': `${cdn.origin}/elanus/dist/wasm/index.js`,
      comlink: `${cdn.origin}/comlink/dist/esm/comlink.mjs`,
      idb: `${cdn.origin}/idb/build/index.js`,
    };
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    await project.write({ 'site/map/index.html': map + pageHtml(), 'site/map/main.js': mainModule() });
    await expectWorks(browser, `${site.origin}/map/`, 'broadcast');
  });

  it('is built with the address of a CDN', async () => {
    await project.write({ 'index.html': pageHtml(), 'main.js': mainModule() });
    await runTool(project, 'vite/bin/vite.js', ['build', '--base', `${cdn.origin}/`, '--logLevel', 'warn']);
    await using pages = await serveFolders(join(project.folder, 'dist'));
    await expectWorks(browser, `${pages.origin}/`, 'broadcast');
  });

  it('is told what is missing if that origin does not allow it', async () => {
    const workerUrl = `${silent.origin}/elanus/dist/browser/engine-worker.js`;
    const main = mainModule({
      browser: `${cdn.origin}/elanus/dist/browser/standalone.js`,
      vector: `${cdn.origin}/elanus/dist/wasm/standalone.js`,
      openOptions: `workerUrl: '${workerUrl}'`,
    });
    await project.write({ 'site/refused/index.html': pageHtml(), 'site/refused/main.js': main });
    const page = await browser.newPage();
    const { failed } = await visit(page, `${site.origin}/refused/`);
    await page.close();
    expect(failed).toMatch(/^unavailable: The tab worker failed: .*CORS.*`worker-src blob: http:/);
    expect(failed).toContain(workerUrl);
  });
});
