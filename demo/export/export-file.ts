/** Where an export grows before it is handed over; files that an earlier visit left there are removed. */
const FOLDER = 'elanus-demo-exports';

/** A file that grows on disk, so that memory holds a piece of it and not the whole. */
export interface GrowingFile {
  write(bytes: Uint8Array): Promise<void>;
  /** The whole file. */
  finish(): Promise<Blob>;
  /** Lets go of it, unfinished. */
  discard(): Promise<void>;
}

/** On the origin's private disk where that can be written, else in pieces that the browser keeps as it sees fit. */
export async function growFile(name: string): Promise<GrowingFile> {
  try {
    return await growOnDisk(name);
  } catch {
    return growInPieces();
  }
}

async function growOnDisk(name: string): Promise<GrowingFile> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(FOLDER, { recursive: true }).catch(() => undefined);
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  const handle = await folder.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  return {
    write: (bytes) => stream.write(bytes as Uint8Array<ArrayBuffer>),
    async finish() {
      await stream.close();
      return handle.getFile();
    },
    async discard() {
      await stream.abort();
      await folder.removeEntry(name).catch(() => undefined);
    },
  };
}

function growInPieces(): GrowingFile {
  const pieces: Blob[] = [];
  return {
    async write(bytes) {
      pieces.push(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    },
    finish: async () => new Blob(pieces),
    async discard() {
      pieces.length = 0;
    },
  };
}

/** Hands a file to the person as a download. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the file by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
