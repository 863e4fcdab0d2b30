import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  installPackage,
  type Project,
  run,
  startWrangler,
  TYPE_EQUALITY,
  toolFile,
  typeCheck,
  type Wrangler,
} from './package-fixture.ts';

/** `elanus/vector` of an installed package; its page is in package.test.ts. */

let project: Project;

beforeAll(async () => {
  project = await installPackage();
}, 120_000);

afterAll(() => project?.remove());

describe('in Node', () => {
  it('an index is made, here and in a worker, and the process ends when it is freed', async () => {
    await project.write({
      'index-node.js': `
        import { VectorIndex } from 'elanus/vector';
        const options = { type: 'HNSW_SQ4', metric: 'IP', dimension: 2 };
        for (const index of [await VectorIndex.create(options), await VectorIndex.createInWorker(options)]) {
          await index.add(new Float32Array([1, 0, 0, 1]), [7, 8]);
          await index.build();
          const { ids } = await index.search(new Float32Array([0, 1]), { limit: 1 });
          console.log(ids[0], await index.size);
          index.free();
        }
      `,
    });
    const { stdout } = await run(process.execPath, ['index-node.js'], { cwd: project.folder, timeout: 20_000 });
    expect(stdout).toBe('8 2\n8 2\n');
  });
});

describe('in an empty Worker project', () => {
  let wrangler: Wrangler | undefined;

  afterAll(() => wrangler?.stop());

  it('an index of its own takes its modules by import, since nothing is compiled at run time', async () => {
    await project.write({
      'vector/index.js': `
        import { VectorIndex } from 'elanus/vector';
        export default {
          async fetch() {
            const index = await VectorIndex.create({ type: 'HNSW_SQ8', metric: 'L2', dimension: 2 });
            index.add([[1, 0], [0, 1], [5, 5]]);
            await index.build();
            const again = await VectorIndex.load(index.save());
            return Response.json([...again.search([0, 1], { limit: 2 }).ids]);
          },
        };
      `,
      'vector/wrangler.jsonc': '{ "name": "vector", "main": "index.js", "compatibility_date": "2026-11-01" }',
    });
    wrangler = await startWrangler(join(project.folder, 'vector'));
    expect(await (await fetch(wrangler.url)).json()).toEqual([1, 0]);
  });
});

describe('in a TypeScript project', () => {
  it.each([
    ['a page', { lib: ['es2024', 'dom'] }],
    ['Node', { lib: ['es2024'], types: ['node'], typeRoots: [toolFile('@types')] }],
    ['a Worker', { lib: ['es2024'], types: [toolFile('@cloudflare/workers-types')] }],
  ])("the index's types need what %s has", async (_, options) => {
    await project.write({
      'types/vector.ts': `
        import { VectorIndex, VectorMemory, type SearchResult } from 'elanus/vector';
        ${TYPE_EQUALITY}
        const memory = await VectorMemory.create({ maxBytes: 2 ** 26 });
        const index = await VectorIndex.create({ type: 'HNSW_SQ8', metric: 'COSINE', dimension: 3, memory });
        index.add([new Float32Array(3)], [1]);
        await index.build({ signal: AbortSignal.timeout(1000), onProgress: ({ done }) => done });
        const found: SearchResult = index.search([1, 2, 3], { limit: 1, filter: (id) => id > 0 });
        same<typeof found.ids, Float64Array<ArrayBuffer>>(true);
        const wide = await VectorIndex.load<BigUint64Array<ArrayBuffer>>(index.save());
        wide.add(new Float32Array(3), BigUint64Array.of(1n));
        same<ReturnType<typeof wide.search>['ids'], BigUint64Array<ArrayBuffer>>(true);
        const worker = await VectorIndex.createInWorker({ type: 'FLAT', metric: 'L2', dimension: 3 });
        same<typeof worker.size, Promise<number>>(true);
        // @ts-expect-error: ids of numbers are not of 64 bits.
        index.add(new Float32Array(3), BigUint64Array.of(1n));
        // @ts-expect-error: there is no such option.
        index.search([1, 2, 3], { limit: 1, efSearch: 3 });
      `,
    });
    await typeCheck(project, ['types/vector.ts'], options);
  });
});
