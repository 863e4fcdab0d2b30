import { describe, expect, test } from 'vitest';
import { portEndpoint } from '../../browser/link/endpoint.ts';
import { answerCalls, PeerCalls } from '../../browser/link/peer-calls.ts';
import { type EngineAccess, type EngineLink, linkLost } from '../../browser/tab/engine-access.ts';
import { LinkSlot } from '../../browser/tab/link-slot.ts';
import { RemoteCluster } from '../../browser/tab/remote-cluster.ts';
import { ElanusError } from '../../core/base/error.ts';
import type { RequestId, WriteRequest } from '../../core/node/protocol.ts';
import { failure } from '../conformance/engine.ts';
import { SimulatedClock } from '../fakes/simulated-clock.ts';

const CLIENT = '0123456789abcdef';
const ADDRESS = { channel: 'c', collectionId: 1, schemaVersion: 1 };

/** A role at the other end of a port. */
function callsTo(role: object): PeerCalls {
  const { port1, port2 } = new MessageChannel();
  answerCalls(portEndpoint(port2), (name) => (name === 'role' ? role : undefined));
  return new PeerCalls(portEndpoint(port1));
}

/** An engine that takes each call with its own words, by way of a real port. */
function clusterOver(clock: SimulatedClock, write: (request: WriteRequest) => unknown): RemoteCluster {
  const { port1, port2 } = new MessageChannel();
  answerCalls(portEndpoint(port2), () => ({ write: async (request: WriteRequest) => write(request) }));
  const link: EngineLink = { kind: 'own', leader: 'tab', calls: new PeerCalls(portEndpoint(port1)) };
  const access: EngineAccess = {
    link: async () => link,
    waits: () => () => undefined,
    close: async () => undefined,
    destroy: async () => undefined,
  };
  return new RemoteCluster(access, clock, CLIENT);
}

describe('calls between workers', () => {
  test('are answered in any order, and their errors come over whole', async () => {
    const calls = callsTo({
      later: (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
      fail: () => {
        throw new ElanusError('quota', 'full', { details: { field: 'x' } });
      },
    });
    const answers = [30, 1, 10].map((ms) => calls.call('role', 'later', [ms]));
    expect(await Promise.all(answers)).toEqual([30, 1, 10]);
    expect(await failure(calls.call('role', 'fail', []))).toMatchObject({ code: 'quota', details: { field: 'x' } });
    await expect(calls.call('role', 'other', [])).rejects.toMatchObject({ code: 'internal' });
    await expect(calls.call('nobody', 'fail', [])).rejects.toMatchObject({ code: 'internal' });
  });

  test('reject when question or answer cannot be sent, and the way stays open', async () => {
    const calls = callsTo({ unsendable: () => () => undefined, fine: () => 1 });
    await expect(calls.call('role', 'unsendable', [])).rejects.toMatchObject({ code: 'internal' });
    await expect(calls.call('role', 'fine', [() => undefined])).rejects.toThrow();
    expect(await calls.call('role', 'fine', [])).toBe(1);
  });

  test('all fail when their way ends, those to come too', async () => {
    const calls = callsTo({ never: () => new Promise(() => undefined) });
    const waiting = [calls.call('role', 'never', []), calls.call('role', 'never', [])].map(failure);
    calls.fail(linkLost('gone'));
    await calls.ended;
    for (const error of [...(await Promise.all(waiting)), await failure(calls.call('role', 'never', []))]) {
      expect(error).toMatchObject({ code: 'unavailable', message: 'gone' });
    }
  });

  test('move the vectors of a large answer, and copy those of a small one', async () => {
    const vectors = [new Float32Array(40_000).fill(2), new Float32Array(4).fill(3)] as const;
    const batch = { vectors: new Map(vectors.map((values, id) => [id, { values }])) };
    const answer = (await callsTo({ search: () => ({ batch }) }).call('role', 'search', [])) as { batch: typeof batch };
    expect(answer.batch.vectors.get(0)?.values.at(-1)).toBe(2);
    expect(answer.batch.vectors.get(1)?.values.at(-1)).toBe(3);
    expect(vectors.map(({ length }) => length)).toEqual([0, 4]);
  });
});

describe('a write', () => {
  test('is repeated under one id until an engine answers, and keeps its bytes', async () => {
    const clock = new SimulatedClock({ auto: true });
    const seen: (RequestId | undefined)[] = [];
    const bytes: number[] = [];
    const passing = ['closed', 'fenced'] as const;
    const cluster = clusterOver(clock, ({ request, batch }) => {
      seen.push(request);
      bytes.push(batch.byteLength);
      const code = passing[seen.length - 1];
      if (code !== undefined) throw new ElanusError(code, 'moved');
      return { timestamp: 7n };
    });
    const batch = new Uint8Array(100_000);
    expect(await cluster.streamingNode('c').write({ ...ADDRESS, batch })).toEqual({ timestamp: 7n });
    expect(seen).toEqual(seen.map(() => ({ client: CLIENT, sequence: 1, firstPending: 1 })));
    expect(bytes).toEqual([100_000, 100_000, 100_000]);
    await cluster.streamingNode('c').write({ ...ADDRESS, batch });
    expect(seen.at(-1)).toEqual({ client: CLIENT, sequence: 2, firstPending: 2 });
  });

  test('names the oldest that has no answer', async () => {
    const held = new Map<number, () => void>();
    const seen: (RequestId | undefined)[] = [];
    const cluster = clusterOver(new SimulatedClock({ auto: true }), async ({ request }) => {
      seen.push(request);
      if (request?.sequence === 1) await new Promise<void>((resolve) => held.set(1, resolve));
      return { timestamp: 1n };
    });
    const write = (): Promise<unknown> => cluster.streamingNode('c').write({ ...ADDRESS, batch: new Uint8Array(1) });
    const first = write();
    await write();
    await write();
    held.get(1)?.();
    await first;
    await write();
    expect(seen.map((id) => id?.firstPending)).toEqual([1, 1, 1, 4]);
  });

  test('is given up after two minutes, with its outcome unknown; an error of its own is not repeated', async () => {
    const clock = new SimulatedClock({ auto: true });
    const start = clock.now();
    let calls = 0;
    const cluster = clusterOver(clock, () => {
      calls += 1;
      throw calls === 1 ? new ElanusError('invalid', 'bad') : linkLost('gone');
    });
    const write = (): Promise<unknown> => cluster.streamingNode('c').write({ ...ADDRESS, batch: new Uint8Array(1) });
    expect((await failure(write())).code).toBe('invalid');
    expect(calls).toBe(1);
    expect(await failure(write())).toMatchObject({ code: 'unavailable', details: { outcome: 'unknown' } });
    expect(clock.now() - start).toBeGreaterThanOrEqual(120_000);
    expect(clock.now() - start).toBeLessThan(121_000);
  });
});

describe('the link that calls take', () => {
  const linkWith = (): EngineLink => ({ kind: 'own', leader: 'tab', calls: callsTo({}) });

  test('is waited for, and the one before it fails', async () => {
    const slot = new LinkSlot();
    const waiting = slot.get(Date.now() + 60_000);
    const [first, second] = [linkWith(), linkWith()];
    slot.put(first);
    expect(await waiting).toBe(first);
    slot.put(second);
    await first.calls.ended;
    expect(await slot.get(0)).toBe(second);
  });

  test('has a bound, a reason when there is none, and an end', async () => {
    const slot = new LinkSlot();
    expect((await failure(slot.get(Date.now()))).code).toBe('unavailable');
    const refused = failure(slot.get(Date.now() + 60_000));
    slot.refuse(new ElanusError('quota', 'full'));
    expect((await refused).code).toBe('quota');
    const ended = failure(slot.get(Date.now() + 60_000));
    slot.end(new ElanusError('closed', 'over'));
    expect((await ended).code).toBe('closed');
    const late = linkWith();
    slot.put(late);
    await late.calls.ended;
    expect((await failure(slot.get(Date.now() + 60_000))).code).toBe('closed');
  });
});
