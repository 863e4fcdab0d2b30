import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromeLaunch } from '../chrome.ts';
import { type TestEdge, testEdge } from './local-edge.ts';

let edge: TestEdge;
let browser: Browser;
/** A page of another origin: another port is another origin. */
const page = createServer((_, response) =>
  response.setHeader('Content-Type', 'text/html').end('<title>elsewhere</title>'),
);

beforeAll(async () => {
  edge = await testEdge({ token: 'secret' });
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  browser = await chromium.launch(chromeLaunch());
});
afterAll(async () => {
  await browser?.close();
  page.close();
  await edge?.[Symbol.asyncDispose]();
});

it('a page of another origin can call the API with every header that Milvus knows, and read its errors', async () => {
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
  const call = (path: string, body: unknown, token: string) =>
    tab.evaluate(
      async ([url, text, authorization]) => {
        const response = await fetch(url as string, {
          method: 'POST',
          body: text as string,
          headers: {
            Authorization: authorization as string,
            'Content-Type': 'application/json',
            'Accept-Type-Allow-Int64': 'true',
            'Request-Timeout': '10',
            'DB-Name': 'default',
            RequestId: '1',
            'Elanus-Client': '1',
          },
        });
        return [response.status, await response.json()];
      },
      [`${edge.url}/v2/vectordb/${path}`, JSON.stringify(body), `Bearer ${token}`],
    );
  expect(await call('collections/create', { collectionName: 'far', dimension: 2 }, 'secret')).toEqual([
    200,
    { code: 0, data: {} },
  ]);
  expect(await call('collections/list', {}, 'secret')).toEqual([200, { code: 0, data: ['far'] }]);
  expect(await call('collections/list', {}, 'wrong')).toMatchObject([401, { code: 1800 }]);
  expect(await call('collections/describe', { collectionName: 'none' }, 'secret')).toMatchObject([200, { code: 100 }]);
});
