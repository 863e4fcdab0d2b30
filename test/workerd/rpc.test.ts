import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ElanusError, ERROR_CODES } from '../../core/base/error.ts';
import { Coordinator } from '../../core/node/coordinator.ts';
import type { ChannelAddress } from '../../core/node/protocol.ts';
import { StreamingNode } from '../../core/node/streaming-node.ts';
import type { Env } from '../../worker/index.ts';
import { remoteCoordinator, remoteStreamingNode } from '../../worker/objects/cluster.ts';
import { type Reply, type RoleStub, remoteRole } from '../../worker/objects/rpc.ts';
import { post } from './request.ts';

const edge = env as unknown as Env;
const address: ChannelAddress = { channel: 'c', collectionId: 1, schemaVersion: 1 };

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an error between objects', () => {
  it.each(ERROR_CODES)('%s keeps its codes, its message and its details', async (code) => {
    const details = { field: 'price', row: 7, exact: true };
    const thrown = (): Promise<never> =>
      Promise.reject(new ElanusError(code, `about ${code}`, { milvusCode: 4711, details, cause: new Error('lost') }));
    vi.spyOn(Coordinator.prototype, 'listCollections').mockImplementation(thrown);
    vi.spyOn(StreamingNode.prototype, 'statistics').mockImplementation(thrown);
    for (const call of [
      () => remoteCoordinator(edge).listCollections('default'),
      () => remoteStreamingNode(edge, 'c').statistics(address),
    ]) {
      const caught = await call().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(caught).toBeInstanceOf(ElanusError);
      expect(caught).toMatchObject({ code, milvusCode: 4711, message: `about ${code}`, details });
    }
  });

  it('crosses two objects, and the wire after them', async () => {
    await post('collections/create', { collectionName: 'far', dimension: 2 });
    vi.spyOn(Coordinator.prototype, 'allocateTimestamps').mockRejectedValue(
      new ElanusError('quota', 'no more time', { milvusCode: 4712, details: { bytes: 3 } }),
    );
    const body = { collectionName: 'far', data: { id: 1, vector: [1, 2] } };
    const { envelope } = await post('entities/insert', body, { 'Elanus-Client': '1' });
    expect(envelope).toEqual({
      code: 4712,
      message: 'no more time',
      elanus: { code: 'quota', milvusCode: 4712, details: { bytes: 3, outcome: 'not-written' } },
    });
  });

  it('that is not ours is internal, and keeps its message', async () => {
    vi.spyOn(Coordinator.prototype, 'listCollections').mockRejectedValue(new TypeError('a bug'));
    await expect(remoteCoordinator(edge).listCollections('default')).rejects.toMatchObject({
      code: 'internal',
      message: 'a bug',
    });
  });
});

describe('a call between objects', () => {
  it('brings values as they are: bigint, typed arrays, maps', async () => {
    const answer = { timestamp: 2n ** 63n, counts: Uint32Array.of(1), values: new Map([[1, Float32Array.of(0.5)]]) };
    vi.spyOn(StreamingNode.prototype, 'search').mockResolvedValue(answer as never);
    expect(await remoteStreamingNode(edge, 'c').search({ ...address } as never)).toEqual(answer);
  });

  it('carries what a view shows, and not the buffer behind it, which may be larger than a message', async () => {
    const buffer = new ArrayBuffer(40 * 1024 * 1024);
    const part = new Float32Array(buffer, 16, 2).fill(1.5);
    const answer = { list: ['text', { values: new Map([[1, part]]) }], count: 2n };
    vi.spyOn(StreamingNode.prototype, 'search').mockResolvedValue(answer as never);
    const request = { ...address, queries: part } as never;
    expect(await remoteStreamingNode(edge, 'c').search(request)).toEqual({
      list: ['text', { values: new Map([[1, Float32Array.of(1.5, 1.5)]]) }],
      count: 2n,
    });
  });

  it('that is larger than a message is the caller to make smaller', async () => {
    vi.spyOn(StreamingNode.prototype, 'search').mockResolvedValue({ all: new Uint8Array(33 * 1024 * 1024) } as never);
    await expect(remoteStreamingNode(edge, 'c').search(address as never)).rejects.toMatchObject({
      code: 'invalid',
      milvusCode: 1102,
    });
  });

  it('reaches no method but those of the role', async () => {
    const stub = edge.COORDINATOR.get(edge.COORDINATOR.idFromName('coordinator')) as unknown as RoleStub;
    for (const method of ['work', 'constructor', '__proto__', 'nothing']) {
      const reply: Reply = await stub.call(method, []);
      expect(reply).toMatchObject({ ok: false, error: { code: 'internal' } });
    }
  });
});

describe('a failure of the platform', () => {
  interface Role {
    read(): Promise<string>;
    write(): Promise<string>;
  }
  const failing = (failures: readonly object[]): { role: Role; calls: () => number } => {
    let calls = 0;
    const stub = (): RoleStub => ({
      call: async () => {
        const failure = failures[calls++];
        if (failure !== undefined) throw Object.assign(new Error('lost'), failure);
        return { ok: true, value: 'done' };
      },
    });
    return { role: remoteRole<Role>({ read: 'repeatable', write: 'once' }, stub), calls: () => calls };
  };

  it('is tried again where nothing can come of it, with a new stub', async () => {
    const { role, calls } = failing([{ retryable: true }, { retryable: true }]);
    expect(await role.read()).toBe('done');
    expect(calls()).toBe(3);
  });

  it('is an unknown outcome for a write, which is never sent twice', async () => {
    const { role, calls } = failing([{ retryable: true }]);
    await expect(role.write()).rejects.toMatchObject({ code: 'unavailable', milvusCode: 2 });
    expect(calls()).toBe(1);
  });

  it('gives up after a few attempts', async () => {
    const { role, calls } = failing(Array.from({ length: 9 }, () => ({ retryable: true })));
    await expect(role.read()).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls()).toBe(3);
  });

  it('that says there is too much to do is passed on at once', async () => {
    const { role, calls } = failing([{ retryable: true, overloaded: true }]);
    await expect(role.read()).rejects.toMatchObject({ code: 'overloaded' });
    expect(calls()).toBe(1);
  });
});
