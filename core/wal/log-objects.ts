import { codeOf, ElanusError } from '../base/error.ts';
import { nonce, type Random } from '../base/random.ts';
import { DELETE_KEYS_MAX } from '../model/limits.ts';
import { createCertainly, replaceCertainly } from '../storage/certain.ts';
import { decodeDocument, encodeDocument } from '../storage/document.ts';
import type { ByteRange, ObjectStore, StoredObject, Version } from '../storage/object-store.ts';
import type { Clock } from '../time/clock.ts';
import { decodeHeader, decodePayload, FRAME_HEADER_BYTES, type FrameHeader } from './frame.ts';
import { POSITION_START, type Position } from './log.ts';

/** What a log needs of its host. */
export interface LogHost {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The one object of a log that is replaced: which term has opened last, how many frames each earlier one has, and what
 * is truncated. It is written once at each opening and once at each truncation.
 */
export interface LogRoot {
  /** The term that opened last; 0 before the first. */
  readonly term: number;
  readonly nonce: string;
  /** Earlier terms and their numbers of frames, ascending; terms wholly below `truncatedTo` have left the list. */
  readonly sealed: readonly (readonly [term: number, count: number])[];
  readonly truncatedTo: Position;
}

export interface StoredRoot {
  readonly root: LogRoot;
  /** None before the first opening. */
  readonly version: Version | undefined;
}

const KIND = 'ROOT';
const FORMAT = 1;
/** Attempts of a read or a delete before it is given up, and the first pause between them; each further one doubles. */
const ATTEMPTS_MAX = 6;
const PAUSE_MS = 100;
/** Enough for every safe integer; of one width, so that keys sort as positions do. */
const HEX_DIGITS = 14;

/** The objects of one channel's log: `wal/<channel>/root` and `wal/<channel>/<term>/<index>`. */
export class LogObjects {
  readonly channel: string;
  readonly host: LogHost;
  readonly #store: ObjectStore;
  readonly #prefix: string;

  constructor(store: ObjectStore, channel: string, host: LogHost) {
    this.#store = store;
    this.channel = channel;
    this.host = host;
    this.#prefix = logPrefix(channel);
  }

  key({ term, index }: Position): string {
    return `${this.#prefix}${hex(term)}/${hex(index)}`;
  }

  async readRoot(): Promise<StoredRoot> {
    const key = `${this.#prefix}root`;
    const object = await this.#read(key);
    if (object === undefined) {
      return { root: { term: 0, nonce: '', sealed: [], truncatedTo: POSITION_START }, version: undefined };
    }
    return { root: checkedRoot(decodeDocument(KIND, FORMAT, object.bytes, key), key), version: object.version };
  }

  /** Replaces the root that was read; rejects with `conflict` if it has moved on, perhaps past this very write. */
  async writeRoot(next: Omit<LogRoot, 'nonce'>, expected: Version | undefined): Promise<StoredRoot> {
    const root: LogRoot = { ...next, nonce: nonce(this.host.random) };
    const bytes = encodeDocument(KIND, FORMAT, root);
    const key = `${this.#prefix}root`;
    const version =
      expected === undefined
        ? await createCertainly(this.#store, key, bytes, this.host.clock)
        : await replaceCertainly(this.#store, key, bytes, expected, this.host.clock);
    return { root, version };
  }

  /** Puts a frame into its slot, or rejects with `conflict` if another's is there. The nonce in its header is its own. */
  async createFrame(position: Position, frame: Uint8Array): Promise<void> {
    const identity = { start: 0, end: FRAME_HEADER_BYTES };
    await createCertainly(this.#store, this.key(position), frame, this.host.clock, { identity });
  }

  /** What lies in a slot; undefined if nothing does. */
  async readHeader(position: Position): Promise<FrameHeader | undefined> {
    const key = this.key(position);
    const object = await this.#read(key, { start: 0, end: FRAME_HEADER_BYTES });
    return object === undefined ? undefined : decodeHeader(object.bytes, position, key);
  }

  /** A slot's whole frame; undefined if there is none. */
  async readFrame(
    position: Position,
  ): Promise<{ readonly header: FrameHeader; readonly payload: Uint8Array } | undefined> {
    const key = this.key(position);
    const object = await this.#read(key);
    if (object === undefined) return undefined;
    const header = decodeHeader(object.bytes, position, key);
    return { header, payload: decodePayload(object.bytes, header, key) };
  }

  /** Deletes frames that the root has given up; what is not deleted in the end is garbage that collection finds. */
  async deleteFrames(positions: readonly Position[]): Promise<void> {
    for (let start = 0; start < positions.length; start += DELETE_KEYS_MAX) {
      const keys = positions.slice(start, start + DELETE_KEYS_MAX).map((position) => this.key(position));
      await this.#patiently(() => this.#store.delete(keys));
    }
  }

  /** The slots in which something lies, and how many bytes, in ascending order. */
  async *listFrames(): AsyncGenerator<{ readonly position: Position; readonly size: number }> {
    for await (const { key, size } of this.#store.list(this.#prefix)) {
      const position = positionOf(key, this.#prefix);
      if (position !== undefined) yield { position, size };
    }
  }

  #read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#patiently(() => this.#store.read(key, range));
  }

  /** Repeats what may be repeated without harm, while the store is away or asks for fewer requests. */
  async #patiently<T>(request: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        const code = codeOf(error);
        if (code !== 'unavailable' && code !== 'overloaded') throw error;
        if (attempt === ATTEMPTS_MAX) throw unavailable(this.channel, error);
        await this.host.clock.sleep(PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  }
}

/** Where the objects of a channel's log lie. */
export function logPrefix(channel: string): string {
  return `wal/${channel}/`;
}

/** The slot that a key under `logPrefix` names; undefined for the root and for what is not of this log. */
export function positionOf(key: string, prefix: string): Position | undefined {
  const match = /^([0-9a-f]{14})\/([0-9a-f]{14})$/.exec(key.slice(prefix.length));
  if (match === null) return undefined;
  return { term: Number.parseInt(match[1] as string, 16), index: Number.parseInt(match[2] as string, 16) };
}

/** Holds a decoded root against what a root may say. */
function checkedRoot(value: unknown, key: string): LogRoot {
  const { term, nonce, sealed, truncatedTo } = (value ?? {}) as Partial<LogRoot>;
  let previous = 0;
  const isAscending =
    Array.isArray(sealed) &&
    sealed.every(([sealedTerm, count]: readonly [number, number]) => {
      const isNext = isCount(sealedTerm) && sealedTerm > previous && isCount(count);
      previous = sealedTerm;
      return isNext;
    });
  const isRoot =
    isCount(term) &&
    term > previous &&
    typeof nonce === 'string' &&
    isAscending &&
    isCount(truncatedTo?.term) &&
    isCount(truncatedTo?.index);
  if (isRoot) return value as LogRoot;
  throw new ElanusError('corrupt', `The object ${key} is damaged: it is no root of a log. Restore it from a copy.`, {
    details: { key },
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function unavailable(channel: string, cause: unknown): ElanusError {
  const message = `The store does not answer for the log of channel ${channel}. Try again.`;
  return new ElanusError('unavailable', message, { details: { channel }, cause });
}

function hex(value: number): string {
  return value.toString(16).padStart(HEX_DIGITS, '0');
}
