import { fileError } from './file-error.ts';

/** A piece of a file as text, and how far into the file it reaches. */
export interface TextPiece {
  readonly text: string;
  /** Bytes of the file up to the end of this piece. */
  readonly bytes: number;
}

/** Bytes decoded at a time: large enough to be fast, small enough that a file of any size takes little memory. */
const PIECE_BYTES = 1024 * 1024;

/**
 * A file as pieces of text, UTF-8 without its byte order mark. Nothing of it is held longer than a piece.
 *
 * Throws `invalid` where the bytes are no UTF-8: a table of wrong letters would be found only after it was stored.
 */
export async function* textPieces(file: Blob): AsyncGenerator<TextPiece> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 1;
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    const end = Math.min(start + PIECE_BYTES, file.size);
    const bytes = new Uint8Array(await file.slice(start, end).arrayBuffer());
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: end < file.size });
    } catch {
      throw fileError(
        `the text is not UTF-8 somewhere in the ${(PIECE_BYTES / 1024 / 1024).toFixed(0)} MB from here on. Save the file as UTF-8 and try again.`,
        lines,
      );
    }
    lines += countLines(text);
    yield { text, bytes: end };
  }
}

/** How many line ends a text has. */
export function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
