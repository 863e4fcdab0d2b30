import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEvent } from './file-trace.ts';

interface Tracked {
  readonly bytes: number;
  /** Of those, the ones before the last sync that has ended; undefined if there was none. */
  readonly synced: number | undefined;
  /** Sizes since then, and when they were reached. */
  readonly grown: readonly { readonly bytes: number; readonly at: number }[];
}

const EMPTY: Tracked = { bytes: 0, synced: undefined, grown: [] };

/**
 * What a disk certainly holds of files that are only appended to: what came before a sync that has ended. A power cut
 * takes the rest away, and this takes it away too. What a disk really does may lie between; three things it does not
 * simulate: a disk that says that it has synced and has not, names that come back or go because their folder was not
 * synced, and bytes that come in another order than they were written (the rest of a file may be there and its beginning
 * not).
 */
export class PowerCut {
  readonly #files = new Map<string, Tracked>();

  /** Takes in what happened since the last time. */
  replay(events: readonly FileEvent[]): void {
    for (const event of events) this.#take(event);
  }

  /** Cuts all files below a folder to what was synced; those that never were are gone. Returns the bytes that went. */
  async cut(folder: string): Promise<number> {
    let gone = 0;
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const { bytes, synced } = this.#files.get(path) ?? EMPTY;
      if (synced === undefined) await rm(path);
      else if (synced < bytes) await truncate(path, synced);
      gone += bytes - (synced ?? 0);
      if (synced === undefined) this.#files.delete(path);
      else this.#files.set(path, { bytes: synced, synced, grown: [] });
    }
    return gone;
  }

  #take(event: FileEvent): void {
    const { path } = event;
    const file = this.#files.get(path) ?? EMPTY;
    switch (event.kind) {
      case 'open':
        this.#files.set(path, event.isEmptied ? EMPTY : file);
        return;
      case 'write': {
        const start = event.offset ?? file.bytes;
        if (start < (file.synced ?? 0)) throw new Error(`${path} is not only appended to: this model is not for it.`);
        this.#grow(event, file, Math.max(file.bytes, start + event.bytes));
        return;
      }
      case 'truncate':
        if (event.bytes < (file.synced ?? 0)) throw new Error(`${path} is cut by its owner: this model is not for it.`);
        this.#grow(event, file, event.bytes);
        return;
      case 'sync': {
        // It vouches for what was there before it began.
        const covered = file.grown.filter(({ at }) => at <= event.began).at(-1)?.bytes ?? file.synced ?? 0;
        const grown = file.grown.filter(({ at }) => at > event.began);
        this.#files.set(path, { bytes: file.bytes, synced: covered, grown });
        return;
      }
      case 'rename':
        this.#files.delete(path);
        this.#files.set(event.to, file);
        return;
      case 'remove':
        this.#files.delete(path);
        return;
    }
  }

  #grow(event: FileEvent, file: Tracked, bytes: number): void {
    this.#files.set(event.path, { ...file, bytes, grown: [...file.grown, { bytes, at: event.ended }] });
  }
}
