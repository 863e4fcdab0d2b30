import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, launchChromium, type Project, ROOT } from '../node/package-fixture.ts';
import { serveFolders } from '../node/page-server.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { runTool, serveTool } from './program.ts';
import { expectWorks, visit } from './visit.ts';

const ADDRESS = ['--host', '127.0.0.1', '--port', '0'];
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

describe.each(['5.4.21', '6.4.6', '7.3.8', '8.3.8'])('Vite %s', (version) => {
  let project: Project;

  beforeAll(async () => {
    project = await installPackage({ dependencies: { vite: version } });
    await project.write({ 'index.html': pageHtml(), 'main.js': mainModule() });
  });

  afterAll(() => project?.remove());

  it('the development server, with nothing configured', async () => {
    await using server = await serveTool(project, 'vite/bin/vite.js', ADDRESS);
    await expectWorks(browser, server.url);
  });

  it('the built page, below any path', async () => {
    await runTool(project, 'vite/bin/vite.js', ['build', '--base', './', '--logLevel', 'warn']);
    await using server = await serveFolders(project.folder);
    await expectWorks(browser, `${server.origin}/dist/`);
  });
});

describe('Vite 7 in a monorepo, where the package is installed above the application', () => {
  let project: Project;

  beforeAll(async () => {
    project = await installPackage({ dependencies: { vite: '7.3.8' } });
    await project.write({
      // By this Vite knows how far up it may serve.
      'pnpm-workspace.yaml': 'packages: [app]\n',
      'app/package.json': '{ "name": "app", "private": true, "type": "module" }',
      'app/index.html': pageHtml(),
      'app/main.js': mainModule(),
    });
  });

  afterAll(() => project?.remove());

  it('the development server is told to leave the package alone, and the error says how', async () => {
    const page = await browser.newPage();
    let message: string | undefined;
    {
      await using server = await serveTool(project, 'vite/bin/vite.js', ['app', ...ADDRESS]);
      message = (await visit(page, server.url)).failed;
    }
    await page.close();
    const option = /`(optimizeDeps: [^`]*)`/.exec(message ?? '')?.[1];
    expect(option, message).toBeDefined();
    expect(README).toContain(`\`${option}\``);
    await project.write({ 'app/vite.config.js': `export default { ${option} };` });
    await using server = await serveTool(project, 'vite/bin/vite.js', ['app', ...ADDRESS]);
    await expectWorks(browser, server.url);
  });
});
