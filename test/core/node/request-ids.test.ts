import { beforeEach, describe, expect, test } from 'vitest';
import { encodeBatch } from '../../../core/column/codec.ts';
import { buildBatch } from '../../../core/model/entity.ts';
import { GARBAGE_GRACE_MS } from '../../../core/model/limits.ts';
import type { CollectionMeta } from '../../../core/model/schema.ts';
import type { DeleteAnswer, RequestId, WriteAnswer } from '../../../core/node/protocol.ts';
import { parseFilter } from '../../../core/query/resolve.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { failure } from '../../conformance/engine.ts';
import { GateStore } from '../../fakes/gate-store.ts';
import { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { databaseOn, type TestCluster, testCluster } from './cluster.ts';

/* What a channel knows of requests, schedule by schedule: two processes over one store, and gates that hold a call. */

const place = { collectionName: 'c' };
const address = { channel: '1-0', collectionId: 1, schemaVersion: 1 };

interface Process {
  readonly store: GateStore;
  readonly running: TestCluster;
}

let objects: MemoryStore;
let clock: SimulatedClock;
let meta: CollectionMeta;
let a: Process;
let b: Process;

async function start(): Promise<Process> {
  const store = new GateStore(objects);
  return { store, running: await testCluster({ objects: store, clock, memoryBytes: 256 * 1024 * 1024 }) };
}

function id(sequence: number, firstPending: number = sequence): RequestId {
  return { client: '00000000000000aa', sequence, firstPending };
}

function write({ running }: Process, n: number, request?: RequestId): Promise<WriteAnswer> {
  const batch = encodeBatch(buildBatch([{ id: 1, n, vector: [1, 1] }], meta, 'insert'));
  return running.cluster
    .streamingNode('1-0')
    .write({ ...address, batch, ...(request === undefined ? {} : { request }) });
}

function removeAll({ running }: Process, request?: RequestId): Promise<DeleteAnswer> {
  const target = { filter: parseFilter('n >= 0', meta.schema) };
  return running.cluster
    .streamingNode('1-0')
    .delete({ ...address, target, ...(request === undefined ? {} : { request }) });
}

async function values({ running }: Process): Promise<unknown[]> {
  const query = { ...place, filter: 'id >= 0', outputFields: ['n'], consistencyLevel: 'Strong' };
  return (await databaseOn(running).query(query)).map((row) => row['n']);
}

beforeEach(async () => {
  objects = new MemoryStore();
  clock = new SimulatedClock({ auto: true });
  a = await start();
  b = await start();
  await databaseOn(a.running).createCollection({ ...place, dimension: 2, metricType: 'L2' });
  ({ meta } = await a.running.cluster.coordinator.describeCollection({ databaseName: 'default', ...place }));
});

describe('a request that comes again', () => {
  test('gets the first answer and writes nothing, here and at the next owner', async () => {
    const first = await write(a, 10, id(1));
    await write(a, 20);
    expect(await write(a, 10, id(1))).toEqual(first);
    expect(await values(a)).toEqual([20]);
    expect(await write(b, 10, id(1))).toEqual(first);
    expect(await values(b)).toEqual([20]);
  });

  test('without an id is another write', async () => {
    await write(a, 10);
    await write(a, 20);
    await write(a, 10);
    expect(await values(a)).toEqual([10]);
  });

  test('of another client is another write', async () => {
    await write(a, 10, id(1));
    await write(a, 20);
    await write(a, 10, { ...id(1), client: '00000000000000bb' });
    expect(await values(a)).toEqual([10]);
  });

  test('while the first is under way joins it', async () => {
    await write(a, 5);
    const gate = a.store.hold('create', 'wal/');
    const first = write(a, 10, id(1));
    await gate.reached;
    const again = write(a, 10, id(1));
    const third = write(a, 30, id(2, 1));
    gate.open();
    expect(await again).toEqual(await first);
    await third;
    expect(await values(a)).toEqual([30]);
  });

  test('is known after a flush, after the log was truncated, and after a restart', async () => {
    const first = await write(a, 10, id(1));
    await write(a, 20);
    await databaseOn(a.running).flush(place);
    for (let round = 0; round < 2; round++) {
      clock.jump(2 * GARBAGE_GRACE_MS);
      await a.running.cluster.work();
    }
    expect(await write(a, 10, id(1))).toEqual(first);
    await a.running.cluster.close();
    expect(await write(b, 10, id(1))).toEqual(first);
    expect(await values(b)).toEqual([20]);
  });

  test('is known to the next owner, though it reached the log while its owner was being replaced', async () => {
    await write(a, 5);
    const gate = b.store.hold('create', 'wal/');
    const claiming = write(b, 20, { ...id(1), client: '00000000000000bb' });
    await gate.reached;
    // The old owner's frame lands, and its client hears nothing of it.
    const lost = await write(a, 10, id(1));
    gate.open();
    await claiming;
    expect(await write(b, 10, id(1))).toEqual(lost);
    expect(await values(b)).toEqual([20]);
  });

  test('is carried out by the next owner if the old one was fenced before', async () => {
    await write(a, 5, id(1));
    await write(b, 6);
    const error = await failure(write(a, 10, id(2)));
    expect([error.code, error.details['outcome']]).toEqual(['unavailable', 'not-written']);
    await write(b, 10, id(2));
    expect(await values(b)).toEqual([10]);
  });

  test('after its client had the answer is refused: nobody knows any more whether it was written', async () => {
    await write(a, 10, id(1));
    await write(a, 20, id(2));
    expect((await failure(write(a, 10, id(1)))).code).toBe('invalid');
    expect((await failure(write(b, 10, id(1)))).code).toBe('invalid');
    expect(await values(a)).toEqual([20]);
  });

  test('is refused before anything is written if it is no request id', async () => {
    expect((await failure(write(a, 10, { ...id(1), client: 'me' }))).code).toBe('invalid');
    expect(await values(a)).toEqual([]);
  });
});

describe('a delete by filter that comes again', () => {
  test('counts what it deleted, and deletes nothing that came later', async () => {
    await write(a, 10);
    const first = await removeAll(a, id(1));
    expect(first.deleteCount).toBe(1);
    await write(a, 20);
    expect(await removeAll(a, id(1))).toEqual(first);
    expect(await removeAll(b, id(1))).toEqual(first);
    expect(await values(b)).toEqual([20]);
  });

  test('is answered without looking for rows: by then there may be too many', async () => {
    await write(a, 10);
    const first = await removeAll(a, id(1));
    await write(a, 20);
    await databaseOn(a.running).flush(place);
    const gate = b.store.hold('read', '/columns.');
    const looked = gate.reached.then(() => 'looked for rows');
    expect(await Promise.race([removeAll(b, id(1)), looked])).toEqual(first);
  });

  test('stays without effect if it found nothing', async () => {
    const first = await removeAll(a, id(1));
    expect(first.deleteCount).toBe(0);
    await write(a, 20);
    expect(await removeAll(b, id(1))).toEqual(first);
    expect(await values(b)).toEqual([20]);
  });

  test('while the first looks for its rows joins it', async () => {
    await write(a, 10);
    await databaseOn(a.running).flush(place);
    await a.running.cluster.close();
    const gate = b.store.hold('read', '/columns.');
    const first = removeAll(b, id(1));
    await gate.reached;
    const again = removeAll(b, id(1));
    await write(b, 20);
    gate.open();
    expect(await again).toEqual(await first);
    await write(b, 30);
    expect(await removeAll(b, id(1))).toEqual(await first);
    expect(await values(b)).toEqual([30]);
  });
});

test('a drop that comes again spares the collection that was created meanwhile under the name', async () => {
  const name = { databaseName: 'default', ...place };
  const { coordinator } = a.running.cluster;
  await coordinator.dropCollection(name, meta.id);
  await databaseOn(b.running).createCollection({ ...place, dimension: 3 });
  await coordinator.dropCollection(name, meta.id);
  expect((await coordinator.describeCollection(name)).meta.id).not.toBe(meta.id);
  await databaseOn(b.running).dropCollection(place);
  await databaseOn(b.running).dropCollection(place);
  expect(await databaseOn(b.running).hasCollection(place)).toBe(false);
});
