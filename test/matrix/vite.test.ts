import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { installPackage, launchChromium, type Project } from '../node/package-fixture.ts';
import { serveFolders } from '../node/page-server.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { runTool, serveTool } from './program.ts';
import { expectWorks } from './visit.ts';

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
    await using server = await serveTool(project, 'vite/bin/vite.js', ['--host', '127.0.0.1', '--port', '0']);
    await expectWorks(browser, server.url);
  });

  it('the built page, below any path', async () => {
    await runTool(project, 'vite/bin/vite.js', ['build', '--base', './', '--logLevel', 'warn']);
    await using server = await serveFolders(project.folder);
    await expectWorks(browser, `${server.origin}/dist/`);
  });
});
