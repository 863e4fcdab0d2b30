import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { installPackage, launchChromium, type Project } from '../node/package-fixture.ts';
import { serveFolders } from '../node/page-server.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { runTool } from './program.ts';
import { expectWorks } from './visit.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

describe.each([
  {
    name: 'webpack',
    tool: 'webpack/bin/webpack.js',
    dependencies: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
  },
  {
    name: 'rspack',
    tool: '@rspack/cli/bin/rspack.js',
    dependencies: { '@rspack/core': '2.3.3', '@rspack/cli': '2.2.8' },
  },
])('$name, with nothing configured but where it begins', ({ name, tool, dependencies }) => {
  let project: Project;

  beforeAll(async () => {
    project = await installPackage({ dependencies });
    await project.write({ 'index.html': pageHtml('./dist/main.js'), 'main.js': mainModule() });
  });

  afterAll(() => project?.remove());

  it.each(['production', 'development'])('%s', async (mode) => {
    await project.write({ [`${name}.config.js`]: `export default { mode: '${mode}', entry: './main.js' };` });
    await runTool(project, tool, ['build']);
    await using server = await serveFolders(project.folder);
    await expectWorks(browser, `${server.origin}/`);
  });
});
