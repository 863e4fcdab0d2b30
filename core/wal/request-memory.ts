import { ElanusError } from '../base/error.ts';
import {
  REQUEST_ANSWERS_MAX,
  REQUEST_ANSWERS_PER_CLIENT_MAX,
  REQUEST_CLIENTS_MAX,
  REQUEST_MEMORY_MS,
} from '../model/limits.ts';
import type { RequestId } from '../model/request-id.ts';
import { millisecondsOf, type Timestamp } from '../time/timestamp.ts';

/** What a write was answered. */
export interface RequestAnswer {
  readonly timestamp: Timestamp;
  /** Keys that a delete named; 0 for other writes. */
  readonly deleteCount: number;
}

/** What a channel remembers of a client, as plain data: the manifest carries it past the truncation of the log. */
export interface RememberedClient {
  readonly client: string;
  /** No sequence below is asked for again. */
  readonly firstPending: number;
  /** Of its newest write, in decimal. */
  readonly timestamp: string;
  /** Of its sequences from `firstPending` on: sequence, timestamp in decimal, delete count. */
  readonly answers: readonly (readonly [sequence: number, timestamp: string, deleteCount: number])[];
}

interface Client {
  firstPending: number;
  newest: Timestamp;
  readonly answers: Map<number, RequestAnswer>;
}

/**
 * The answers that clients of a channel may ask for again (RIFL's completion records). It is filled from the log alone,
 * so that every owner that replays the same records from the same manifest knows the same.
 *
 * - A request that is in the log is known here until its client says that it has the answer (`firstPending`), or its
 *   client has been silent for `REQUEST_MEMORY_MS` of the log's time, or clients that wrote later need the room.
 */
export class RequestMemory {
  /** In the order of their newest writes, the newest last. */
  readonly #clients = new Map<string, Client>();
  #answerCount = 0;

  constructor(remembered: readonly RememberedClient[] = []) {
    for (const { client, firstPending, timestamp, answers } of remembered) {
      const known = answers.map(([sequence, at, deleteCount]): [number, RequestAnswer] => [
        sequence,
        { timestamp: BigInt(at), deleteCount },
      ]);
      this.#clients.set(client, { firstPending, newest: BigInt(timestamp), answers: new Map(known) });
      this.#answerCount += known.length;
    }
  }

  /** Answers known, of all clients. */
  get size(): number {
    return this.#answerCount;
  }

  /**
   * The answer of a request that is in the log; undefined if it is new. Throws `invalid` for a request whose client has
   * said that it has the answer: whether it was carried out is no longer known.
   */
  answerTo({ client, sequence }: RequestId): RequestAnswer | undefined {
    const known = this.#clients.get(client);
    if (known === undefined) return undefined;
    if (sequence >= known.firstPending) return known.answers.get(sequence);
    throw new ElanusError(
      'invalid',
      `Request ${sequence} of client ${client} was sent after its client had its answer: it named ${known.firstPending} as the first without one. Use a new sequence for a new write.`,
      { details: { client, sequence, firstPending: known.firstPending } },
    );
  }

  /** Throws `overloaded` if the client has not heard so many answers that no more can be kept for it. */
  refuseIfFull({ client, firstPending }: RequestId): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    this.#forgetBelow(known, firstPending);
    if (known.answers.size < REQUEST_ANSWERS_PER_CLIENT_MAX) return;
    throw new ElanusError(
      'overloaded',
      `Client ${client} waits for the answer of request ${known.firstPending} and has made ${known.answers.size} writes since; write again when it has come.`,
      { details: { client, outcome: 'not-written' } },
    );
  }

  /** Takes the request of a record in the log, with the answer that it got or will get. The first answer stays. */
  remember({ client, sequence, firstPending }: RequestId, answer: RequestAnswer): void {
    const known = this.#clients.get(client) ?? { firstPending: 1, newest: answer.timestamp, answers: new Map() };
    known.newest = answer.timestamp;
    this.#clients.delete(client);
    this.#clients.set(client, known);
    this.#forgetBelow(known, firstPending);
    if (sequence >= known.firstPending && !known.answers.has(sequence)) {
      known.answers.set(sequence, answer);
      this.#answerCount += 1;
    }
    this.#forgetOldest(answer.timestamp);
  }

  /** What the manifest carries of this: what is known now, without clients that are too old at `timestamp`. */
  remembered(timestamp: Timestamp): RememberedClient[] {
    this.#forgetOldest(timestamp);
    return [...this.#clients].map(([client, { firstPending, newest, answers }]) => ({
      client,
      firstPending,
      timestamp: newest.toString(),
      answers: [...answers].map(([sequence, answer]) => [sequence, answer.timestamp.toString(), answer.deleteCount]),
    }));
  }

  #forgetBelow(client: Client, firstPending: number): void {
    if (firstPending <= client.firstPending) return;
    client.firstPending = firstPending;
    for (const sequence of client.answers.keys()) {
      if (sequence < firstPending && client.answers.delete(sequence)) this.#answerCount -= 1;
    }
  }

  /** Forgets clients from the one that has been silent longest on; never the one that wrote last. */
  #forgetOldest(now: Timestamp): void {
    for (const [name, client] of this.#clients) {
      if (this.#clients.size === 1) return;
      const isOld = millisecondsOf(now) - millisecondsOf(client.newest) > REQUEST_MEMORY_MS;
      const isTooMuch = this.#clients.size > REQUEST_CLIENTS_MAX || this.#answerCount > REQUEST_ANSWERS_MAX;
      if (!isOld && !isTooMuch) return;
      this.#clients.delete(name);
      this.#answerCount -= client.answers.size;
    }
  }
}
