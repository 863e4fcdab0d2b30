import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../core/base/error.ts';
import {
  REQUEST_ANSWERS_MAX,
  REQUEST_ANSWERS_PER_CLIENT_MAX,
  REQUEST_CLIENTS_MAX,
  REQUEST_MEMORY_MS,
} from '../../../core/model/limits.ts';
import { checkRequestId, type RequestId } from '../../../core/model/request-id.ts';
import { timestampAt } from '../../../core/time/timestamp.ts';
import { type RememberedClient, type RequestAnswer, RequestMemory } from '../../../core/wal/request-memory.ts';

function id(client: number, sequence: number, firstPending: number = 1): RequestId {
  return { client: client.toString(16).padStart(16, '0'), sequence, firstPending };
}

function codeOfCall(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

interface Write {
  readonly request: RequestId;
  readonly answer: RequestAnswer;
}

const CLIENTS = 3;
const SEQUENCES = 41;

/** What each client hears when it asks for each of its sequences. */
function heard(memory: RequestMemory): unknown[] {
  return everySequence((client, sequence) => {
    try {
      return memory.answerTo(id(client, sequence));
    } catch (error) {
      return codeOf(error);
    }
  });
}

/** What it should hear: the whole history is known. */
function expected(history: readonly Write[]): unknown[] {
  return everySequence((client, sequence) => {
    const own = history.filter(({ request }) => request.client === id(client, 1).client);
    if (own.some(({ request }) => request.firstPending > sequence)) return 'invalid';
    return own.find(({ request }) => request.sequence === sequence)?.answer;
  });
}

function everySequence(ask: (client: number, sequence: number) => unknown): unknown[] {
  const answers: unknown[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    for (let sequence = 1; sequence <= SEQUENCES; sequence++) answers.push(ask(client, sequence));
  }
  return answers;
}

test('answers are known from the first pending request on, over any number of flushes and replays', () => {
  const step = fc.record({
    client: fc.nat({ max: CLIENTS - 1 }),
    behind: fc.nat({ max: 4 }),
    deleteCount: fc.nat({ max: 5 }),
    next: fc.constantFrom('go on', 'flush', 'restart'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: SEQUENCES - 1 }), (steps) => {
      const history: Write[] = [];
      let manifest: readonly RememberedClient[] = [];
      let checkpoint = 0;
      let memory = new RequestMemory();
      for (const [at, { client, behind, deleteCount, next }] of steps.entries()) {
        const sequence = 1 + history.filter(({ request }) => request.client === id(client, 1).client).length;
        const request = id(client, sequence, Math.max(1, sequence - behind));
        const answer = { timestamp: timestampAt(1000 + at), deleteCount };
        memory.remember(request, answer);
        history.push({ request, answer });
        if (next === 'flush') {
          manifest = JSON.parse(JSON.stringify(memory.remembered(answer.timestamp))) as RememberedClient[];
          checkpoint = history.length;
        }
        if (next === 'restart') {
          memory = new RequestMemory(manifest);
          for (const known of history.slice(checkpoint)) memory.remember(known.request, known.answer);
        }
        expect(heard(memory)).toEqual(expected(history));
      }
    }),
    { numRuns: 300 },
  );
});

test('the first answer of a request stays, and only its own client hears it', () => {
  const memory = new RequestMemory();
  memory.remember(id(1, 1), { timestamp: 5n, deleteCount: 3 });
  memory.remember(id(1, 1), { timestamp: 9n, deleteCount: 0 });
  expect(memory.answerTo(id(1, 1))).toEqual({ timestamp: 5n, deleteCount: 3 });
  expect(memory.answerTo(id(2, 1))).toBeUndefined();
});

test('a client that was silent for long is forgotten by the log’s time, one that wrote is not', () => {
  const memory = new RequestMemory();
  const at = (ms: number): RequestAnswer => ({ timestamp: timestampAt(ms), deleteCount: 0 });
  memory.remember(id(1, 1), at(0));
  memory.remember(id(2, 1), at(1));
  memory.remember(id(1, 2), at(2));
  memory.remember(id(3, 1), at(REQUEST_MEMORY_MS + 1));
  expect(memory.answerTo(id(2, 1))).toBeDefined();
  memory.remember(id(3, 2), at(REQUEST_MEMORY_MS + 2));
  expect(memory.answerTo(id(2, 1))).toBeUndefined();
  expect(memory.answerTo(id(1, 1))).toBeDefined();
  expect(memory.remembered(timestampAt(REQUEST_MEMORY_MS + 3)).map(({ client }) => client)).toEqual([id(3, 1).client]);
});

test('clients and answers have a bound: those that wrote longest ago go, the one that writes stays', () => {
  const memory = new RequestMemory();
  for (let client = 0; client <= REQUEST_CLIENTS_MAX; client++) {
    memory.remember(id(client, 1), { timestamp: BigInt(client), deleteCount: 0 });
  }
  expect(memory.remembered(0n).length).toBe(REQUEST_CLIENTS_MAX);
  expect(memory.answerTo(id(0, 1))).toBeUndefined();
  for (let sequence = 1; sequence <= REQUEST_ANSWERS_MAX; sequence++) {
    memory.remember(id(0, sequence), { timestamp: 1000n, deleteCount: 0 });
  }
  expect(memory.size).toBe(REQUEST_ANSWERS_MAX);
  expect(memory.remembered(1000n).map(({ client }) => client)).toEqual([id(0, 1).client]);
});

test('a client that hears no answers is told to wait, until it says that it heard some', () => {
  const memory = new RequestMemory();
  for (let sequence = 1; sequence <= REQUEST_ANSWERS_PER_CLIENT_MAX; sequence++) {
    memory.remember(id(0, sequence), { timestamp: 1n, deleteCount: 0 });
  }
  const next = REQUEST_ANSWERS_PER_CLIENT_MAX + 1;
  expect(codeOfCall(() => memory.refuseIfFull(id(0, next)))).toBe('overloaded');
  expect(codeOfCall(() => memory.refuseIfFull(id(1, next)))).toBeUndefined();
  expect(codeOfCall(() => memory.refuseIfFull(id(0, next, 2)))).toBeUndefined();
});

test.each<[string, RequestId]>([
  ['a short client', { client: '12', sequence: 1, firstPending: 1 }],
  ['a client in capitals', { client: 'ABCDEF0123456789', sequence: 1, firstPending: 1 }],
  ['sequence 0', { client: '0123456789abcdef', sequence: 0, firstPending: 0 }],
  ['half a sequence', { client: '0123456789abcdef', sequence: 1.5, firstPending: 1 }],
  ['a sequence past the exact numbers', { client: '0123456789abcdef', sequence: 2 ** 53, firstPending: 1 }],
  ['a first pending after itself', { client: '0123456789abcdef', sequence: 1, firstPending: 2 }],
])('%s is refused', (_, request) => {
  expect(codeOfCall(() => checkRequestId(request))).toBe('invalid');
});
