import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, launchChromium, type Project, run } from '../node/package-fixture.ts';
import { pageProgram } from './page-program.ts';
import { runTool, serveTool } from './program.ts';
import { expectWorks } from './visit.ts';

/** Rendered on the server, where its imports run, and again in the page. */
const SEARCH = `'use client';
  import { useEffect } from 'react';
  ${pageProgram()}
  // In development React runs effects twice.
  let visited;
  export default function Search() {
    useEffect(() => { visited ??= visit(); }, []);
    return <p>rendered</p>;
  }
`;

const FILES = {
  'app/layout.jsx': 'export default function Layout({ children }) { return <html><body>{children}</body></html>; }',
  'app/page.jsx': "import Search from './search'; export default function Page() { return <Search />; }",
  'app/search.jsx': SEARCH,
};

let browser: Browser;
let project: Project;

beforeAll(async () => {
  browser = await launchChromium();
  const dependencies = { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };
  project = await installPackage({ dependencies });
  await project.write(FILES);
});

afterAll(async () => {
  await browser?.close();
  await project?.remove();
});

const TOOL = 'next/dist/bin/next';
const ADDRESS = ['--hostname', '127.0.0.1', '--port', '0'];

describe('Next.js, with nothing configured', () => {
  it('built and served', async () => {
    await runTool(project, TOOL, ['build']);
    await using server = await serveTool(project, TOOL, ['start', ...ADDRESS]);
    expect(await (await fetch(server.url)).text()).toContain('<p>rendered</p>');
    await expectWorks(browser, server.url);
  });

  it('its development server', async () => {
    await using server = await serveTool(project, TOOL, ['dev', ...ADDRESS]);
    expect(await (await fetch(server.url)).text()).toContain('<p>rendered</p>');
    await expectWorks(browser, server.url);
  });
});

describe('on a server', () => {
  it('each entry can be imported, and open says that it needs a browser', async () => {
    await project.write({
      'server.mjs': `
        import { open } from 'elanus/browser';
        import 'elanus';
        import 'elanus/vector';
        await open({ name: 'x' }).catch(({ code, message }) => console.log(code, message));
      `,
    });
    const { stdout } = await run(process.execPath, ['server.mjs'], { cwd: project.folder });
    expect(stdout).toMatch(/^unsupported open needs a browser.*`connect`/);
  });
});
