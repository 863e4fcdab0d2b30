import { equalBytes } from '../base/bytes.ts';
import { codeOf, ElanusError } from '../base/error.ts';
import type { Clock } from '../time/clock.ts';
import { checkWrite, keyExists, outcomeUnknown, versionDiffers } from './check.ts';
import type { ByteRange, ObjectStore, StoredObject, Version } from './object-store.ts';

/**
 * `writeCertainly`: writes whose outcome is known though the store's answers may be lost.
 *
 * A rejection `unavailable` means that the write took effect, or did not, or will later. The rules:
 *
 * 1. After it, *read first*. If the object holds our bytes, the write took effect: that is success. The bytes carry a
 *    nonce, so that nobody else writes the same; hence equal bytes prove that the write was ours.
 * 2. Write again only if the key is still absent (create), or the object still at `expected` (replace).
 * 3. A `conflict` of a later attempt may come from the success of an earlier one: it is followed by a read too.
 *
 * Why a late duplicate does no harm. A request that was given up may still be on its way and land after the read, or
 * even after a later attempt. A late create finds the key taken, whether by the later attempt or by a rival, and has no
 * effect; if it lands between the read and the later attempt, that attempt gets `conflict` and rule 3 finds our bytes.
 * A late replace finds a version other than `expected`, because no object ever holds the same bytes, and so the same
 * version, twice. What remains is a late create after the object was *deleted*: it brings back garbage of ours, never
 * another's bytes; therefore keys are not reused, and the log never deletes a fence or its newest frame.
 *
 * The bad interleaving without rule 1: (1) our replace takes effect, its answer is lost; (2) a rival reads our bytes
 * and replaces them; (3) we "retry" with what we read anew and undo the rival's change; both were acknowledged.
 */

/** Attempts before a write is given up. With the pauses between them, a store may be away for about three seconds. */
const ATTEMPTS_MAX = 6;
/** The first pause after an unknown outcome; each further one is twice as long. */
const PAUSE_MS = 100;
/** The pause after a refusal for rate: R2 takes one write a second to one key. */
const PAUSE_OVERLOADED_MS = 1_100;

export interface CertainOptions {
  /**
   * The bytes that tell this write from every other: where the nonce lies. Only they, and the size, are read back and
   * compared. Defaults to the whole object.
   */
  readonly identity?: ByteRange;
}

/**
 * Creates an object whose bytes nobody else writes, and knows whether it did. Rejections: `conflict` (another holds
 * the key; ours certainly had no effect, unless `details.outcome` is `unknown`), `unavailable` (still unknown after all
 * attempts, and may take effect later), `overloaded` (certainly no effect), and what else the store rejects with.
 */
export function createCertainly(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  clock: Clock,
  options: CertainOptions = {},
): Promise<Version> {
  return writeCertainly({ store, key, bytes, clock, expected: undefined, identity: options.identity });
}

/**
 * Replaces an object at `expected` by bytes that nobody else writes, and knows whether it did. Rejections as those of
 * `createCertainly`. After a lost answer, a `conflict` has `details.outcome === 'unknown'`: the object has moved on,
 * either past our write or without it. Whoever meets a conflict reads anew and must not take its write for undone.
 */
export function replaceCertainly(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  expected: Version,
  clock: Clock,
  options: CertainOptions = {},
): Promise<Version> {
  return writeCertainly({ store, key, bytes, clock, expected, identity: options.identity });
}

interface Write {
  readonly store: ObjectStore;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly clock: Clock;
  /** Undefined for a create. */
  readonly expected: Version | undefined;
  readonly identity: ByteRange | undefined;
}

async function writeCertainly(write: Write): Promise<Version> {
  // What is invalid is invalid for certain, also when an answer is lost.
  checkWrite(write.key, write.bytes);
  let isUnknown = false;
  let isTaken = false;
  let attempt = 0;
  for (;;) {
    try {
      if (isUnknown) {
        const version = await ownVersion(write, isTaken);
        if (version !== undefined) return version;
      }
      return await send(write);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'conflict') {
        if (!isUnknown || isDecided(error)) throw error;
        if (isTaken) throw outcomeUnknown('write', write.key, error);
        // An earlier attempt may be what this one met: the next round reads and decides.
        isTaken = true;
        continue;
      }
      isUnknown ||= code === 'unavailable';
      attempt++;
      if ((code !== 'unavailable' && code !== 'overloaded') || attempt === ATTEMPTS_MAX) {
        throw isUnknown ? outcomeUnknown('write', write.key, error) : error;
      }
      await write.clock.sleep(code === 'overloaded' ? PAUSE_OVERLOADED_MS : PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

function send({ store, key, bytes, expected }: Write): Promise<Version> {
  return expected === undefined ? store.create(key, bytes) : store.replace(key, bytes, expected);
}

/**
 * After an attempt of unknown outcome: the version of our bytes if they are there, undefined if the write may be sent
 * again, and otherwise a conflict that is final. `isTaken` says that a later attempt met `conflict`.
 */
async function ownVersion(write: Write, isTaken: boolean): Promise<Version | undefined> {
  const { key, expected } = write;
  const found = await readIdentity(write);
  if (found !== undefined && isOwn(write, found)) return found.version;
  if (expected === undefined) {
    // Another's bytes under a key that we wanted to create: ours never came there, and no late request will.
    if (found !== undefined) throw decided(keyExists(key), 'none');
    // Somebody's object was there and is gone. Was it ours? Nobody can tell.
    if (isTaken) throw decided(keyExists(key), 'unknown');
    return undefined;
  }
  if (found?.version === expected) return undefined;
  // The object has moved on from `expected`: past our bytes, or without them. Nobody can tell.
  throw decided(versionDiffers(key, expected), 'unknown');
}

async function readIdentity({ store, key, identity }: Write): Promise<StoredObject | undefined> {
  try {
    return await store.read(key, identity);
  } catch (error) {
    // Another object, shorter than the place where our nonce would lie; read whole, it shows that it is not ours.
    if (codeOf(error) === 'invalid' && identity !== undefined) return store.read(key);
    throw error;
  }
}

function isOwn({ bytes, identity }: Write, found: StoredObject): boolean {
  if (found.size !== bytes.byteLength) return false;
  return equalBytes(found.bytes, identity === undefined ? bytes : bytes.subarray(identity.start, identity.end));
}

/** Marks a conflict that a read has decided, and says what is known of our write. */
function decided(conflict: ElanusError, outcome: 'none' | 'unknown'): ElanusError {
  return new ElanusError('conflict', conflict.message, { details: { ...conflict.details, outcome } });
}

function isDecided(error: unknown): boolean {
  return (error as ElanusError).details['outcome'] !== undefined;
}
