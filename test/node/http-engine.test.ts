import { afterAll, beforeAll } from 'vitest';
import { connect } from '../../core/client/index.ts';
import { engineSuite } from '../conformance/engine.ts';
import { type TestEdge, testEdge } from './local-edge.ts';

let edge: TestEdge;

beforeAll(async () => {
  edge = await testEdge();
});

afterAll(() => edge[Symbol.asyncDispose]());

engineSuite('connect over HTTP to the edge', async () => ({
  open: async (options) => connect({ url: edge.url, ...options }),
  dispose: async () => {
    const db = connect({ url: edge.url });
    for (const collectionName of await db.listCollections()) await db.dropCollection({ collectionName });
  },
}));
