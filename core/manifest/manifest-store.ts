import { assert } from '../base/assert.ts';
import { codeOf, ElanusError } from '../base/error.ts';
import { nonce, type Random } from '../base/random.ts';
import { createCertainly, replaceCertainly } from '../storage/certain.ts';
import { decodeDocument, encodeDocument } from '../storage/document.ts';
import type { ObjectStore, Version } from '../storage/object-store.ts';
import type { Clock } from '../time/clock.ts';
import { claimed, emptyManifest, type FlushEdit, flushed, type Manifest, manifestProblem } from './manifest.ts';

const KIND = 'MNFT';
/** Format 1 remembers no requests. */
const FORMAT = 2;
const CLAIM_ATTEMPTS_MAX = 16;

/** A manifest and the version of the object that holds it; no version if there is no object yet. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly version: Version | undefined;
}

export function manifestKey(collectionId: number, channel: string): string {
  return `collections/${collectionId}/channels/${channel}/manifest`;
}

/** Where a channel's manifest is kept. */
export class ManifestStore {
  readonly #objects: ObjectStore;
  readonly #host: { readonly clock: Clock; readonly random: Random };
  readonly #collectionId: number;
  readonly #channel: string;
  readonly #key: string;

  constructor(
    objects: ObjectStore,
    host: { readonly clock: Clock; readonly random: Random },
    collectionId: number,
    channel: string,
  ) {
    this.#objects = objects;
    this.#host = host;
    this.#collectionId = collectionId;
    this.#channel = channel;
    this.#key = manifestKey(collectionId, channel);
  }

  async read(): Promise<StoredManifest> {
    const object = await this.#objects.read(this.#key);
    if (object === undefined) {
      return { manifest: emptyManifest(this.#collectionId, this.#channel), version: undefined };
    }
    const document = decodeDocument(KIND, FORMAT, object.bytes, this.#key) as Omit<Manifest, 'requests'>;
    const manifest: Manifest = { requests: [], ...document };
    if (manifest.collectionId !== this.#collectionId || manifest.channel !== this.#channel) {
      throw new ElanusError('corrupt', `The object ${this.#key} holds the manifest of another channel.`, {
        details: { key: this.#key },
      });
    }
    return { manifest, version: object.version };
  }

  /**
   * Claims the manifest's next term. Returns what was claimed, and the version that it was claimed from: what a reader
   * knew before counts only if it knew that very version.
   */
  async claim(): Promise<{ readonly stored: StoredManifest; readonly from: Version | undefined }> {
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt++) {
      const current = await this.read();
      const next = claimed(current.manifest, nonce(this.#host.random));
      const version = await this.#write(next, current);
      if (version !== undefined) return { stored: { manifest: next, version }, from: current.version };
    }
    throw new ElanusError('unavailable', `The manifest of channel ${this.#channel} is contended; try again.`);
  }

  /** Commits a flush; rejects with `fenced` if another owner has claimed the channel. The loser deletes nothing. */
  async commitFlush(current: StoredManifest, edit: FlushEdit): Promise<StoredManifest> {
    const next = flushed(current.manifest, edit, nonce(this.#host.random));
    const version = await this.#write(next, current);
    if (version === undefined) {
      throw new ElanusError('fenced', `Channel ${this.#channel} has a newer owner than term ${next.term}.`);
    }
    return { manifest: next, version };
  }

  async #write(next: Manifest, current: StoredManifest): Promise<Version | undefined> {
    const problem = manifestProblem(next, current.manifest);
    assert(problem === undefined, `the manifest of ${this.#channel} may follow its predecessor, but ${problem}`);
    const bytes = encodeDocument(KIND, FORMAT, next);
    try {
      return current.version === undefined
        ? await createCertainly(this.#objects, this.#key, bytes, this.#host.clock)
        : await replaceCertainly(this.#objects, this.#key, bytes, current.version, this.#host.clock);
    } catch (error) {
      if (codeOf(error) === 'conflict') return undefined;
      throw error;
    }
  }
}
