import { ElanusError } from '../base/error.ts';

/**
 * Names one write of one client, so that a write whose answer was lost can be sent again: the channel answers a known
 * request as it did the first time and writes nothing (RIFL: Lee et al., "Implementing linearizability at large scale
 * and low latency", SOSP 2015).
 *
 * - A client counts per channel or over all its writes; a sequence is never used for two different writes.
 * - A request is sent again with the same content, within `REQUEST_MEMORY_MS`, and never once it lies below a
 *   `firstPending` that its client has sent.
 */
export interface RequestId {
  /** 16 hex digits, drawn at random, one for each client. */
  readonly client: string;
  /** 1, 2, … in the order in which the client made its writes. */
  readonly sequence: number;
  /** The smallest sequence of this client that has no answer yet: what lies below is never sent again. */
  readonly firstPending: number;
}

/** Throws `invalid` for what is not a request id. */
export function checkRequestId({ client, sequence, firstPending }: RequestId): void {
  if (!/^[0-9a-f]{16}$/.test(client)) {
    throw new ElanusError('invalid', `The client of a request is 16 hex digits in lower case, not ${client}.`);
  }
  if (Number.isSafeInteger(sequence) && Number.isInteger(firstPending) && firstPending >= 1 && firstPending <= sequence)
    return;
  throw new ElanusError(
    'invalid',
    `A request's sequence is an integer from 1 on, and its firstPending one from 1 to the sequence; they are ${sequence} and ${firstPending}.`,
  );
}
