import { ElanusError } from '../base/error.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts as offsets (u32, one more than there are texts) and their UTF-8. */
export function encodeTexts(texts: readonly string[], length: number): Uint8Array[] {
  const offsets = new Uint32Array(length + 1);
  let room = 64;
  for (let row = 0; row < length; row++) room += (texts[row] ?? '').length;
  let bytes = new Uint8Array(room);
  let end = 0;
  for (let row = 0; row < length; row++) {
    const text = texts[row] ?? '';
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (end + 3 * text.length > bytes.byteLength) {
      const larger = new Uint8Array(Math.max(2 * bytes.byteLength, end + 3 * text.length));
      larger.set(bytes.subarray(0, end));
      bytes = larger;
    }
    end += encoder.encodeInto(text, bytes.subarray(end)).written;
    offsets[row + 1] = end;
  }
  return [new Uint8Array(offsets.buffer), bytes.subarray(0, end)];
}

/** Reads what `encodeTexts` wrote. */
export function decodeTexts(bytes: Uint8Array, length: number, source: string): string[] {
  const offsetBytes = 4 * (length + 1);
  if (offsetBytes > bytes.byteLength) throw damaged(source, 'the offsets of its texts are cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, offsetBytes);
  const body = bytes.subarray(offsetBytes);
  const end = view.getUint32(4 * length, true);
  if (end !== body.byteLength) throw damaged(source, 'its texts have another size');
  const texts: string[] = new Array(length);
  try {
    const all = decoder.decode(body);
    // Where every character is one byte, one decoding serves all texts.
    const isAscii = all.length === end;
    for (let row = 0; row < length; row++) {
      const from = view.getUint32(4 * row, true);
      const to = view.getUint32(4 * row + 4, true);
      if (from > to || to > end) throw damaged(source, 'the offsets of its texts go back');
      texts[row] = isAscii ? all.slice(from, to) : decoder.decode(body.subarray(from, to));
    }
  } catch (error) {
    if (error instanceof ElanusError) throw error;
    throw damaged(source, 'a text is not UTF-8');
  }
  return texts;
}

function damaged(source: string, what: string): ElanusError {
  return new ElanusError('corrupt', `${source} is damaged: ${what}. Restore it from a copy.`, { details: { source } });
}
