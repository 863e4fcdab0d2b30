import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, launchChromium, type Project } from '../node/package-fixture.ts';
import { type PageServer, serveFoldersWith } from '../node/page-server.ts';
import { readmeBlock } from '../node/readme-block.ts';
import { mainModule, pageHtml } from './page-program.ts';
import { expectWorks, visit } from './visit.ts';

/** The policies that the README gives, for files of the page's own origin and for those of another. */
const [ownPolicy = '', otherPolicy = ''] = readmeBlock('csp').trim().split('\n');

let browser: Browser;
let project: Project;

beforeAll(async () => {
  browser = await launchChromium();
  project = await installPackage();
  await project.write({
    'own/index.html': pageHtml(),
    'own/main.js': mainModule({
      browser: '/elanus/dist/browser/standalone.js',
      vector: '/elanus/dist/wasm/standalone.js',
    }),
  });
});

afterAll(async () => {
  await browser?.close();
  await project?.remove();
});

/** The page and the package, all with this policy. */
function serveWithPolicy(policy: string, folder = 'own'): Promise<PageServer> {
  const packages = join(project.folder, 'node_modules');
  return serveFoldersWith({ 'Content-Security-Policy': policy }, join(project.folder, folder), packages);
}

describe('a page under a strict Content-Security-Policy', () => {
  it('works with files of its own origin', async () => {
    expect(ownPolicy).toMatch(/^default-src 'none';/);
    expect(ownPolicy).not.toContain('blob:');
    await using server = await serveWithPolicy(ownPolicy);
    await expectWorks(browser, `${server.origin}/`);
  });

  it('works with files of another origin', async () => {
    const packages = join(project.folder, 'node_modules');
    await using cdn = await serveFoldersWith({ 'Access-Control-Allow-Origin': '*' }, packages);
    await project.write({
      'other/index.html': pageHtml(),
      'other/main.js': mainModule({
        browser: `${cdn.origin}/elanus/dist/browser/standalone.js`,
        vector: `${cdn.origin}/elanus/dist/wasm/standalone.js`,
      }),
    });
    await using server = await serveWithPolicy(otherPolicy.replaceAll('https://cdn.example', cdn.origin), 'other');
    await expectWorks(browser, `${server.origin}/`, 'broadcast');
  });

  it.each([
    ["'wasm-unsafe-eval'", ownPolicy.replace(" 'wasm-unsafe-eval'", ''), /WASM core .*`script-src 'wasm-unsafe-eval'`/],
    ['worker-src', ownPolicy.replace("worker-src 'self'", "worker-src 'none'"), /tab worker .*`worker-src 'self'`/],
    ['connect-src', ownPolicy.replace("connect-src 'self'", "connect-src 'none'"), /WASM core .*`connect-src`/],
  ])('is told that %s is missing', async (_, policy, message) => {
    expect(policy).not.toBe(ownPolicy);
    await using server = await serveWithPolicy(policy);
    const page = await browser.newPage();
    const { failed } = await visit(page, `${server.origin}/`);
    await page.close();
    expect(failed).toMatch(message);
  });
});
