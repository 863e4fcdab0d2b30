import { fault } from './fault.ts';

/** A run of a pattern between two `%`: characters, and `undefined` for each `_`. */
interface Piece {
  readonly characters: readonly (string | undefined)[];
  /** The run as a text, if it has no `_`. */
  readonly text: string | undefined;
}

/**
 * Compiles a pattern of SQL's LIKE: `%` is any run, `_` exactly one character, `\` takes the next character literally.
 * The whole text must match. Each piece between two `%` is looked for once, from left to right, so that it takes time
 * proportional to the text times the longest piece, whatever the pattern; equality, prefix, suffix and containment are
 * one call of the host.
 *
 * Throws `invalid` if the pattern ends in a lone backslash.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const pieces = splitPattern(pattern);
  const first = pieces[0] as Piece;
  const last = pieces.at(-1) as Piece;
  if (pieces.length === 1) {
    return first.text === undefined ? (text) => matchAt(first, text, 0) === text.length : (text) => text === first.text;
  }
  const middle = pieces.slice(1, -1).filter((piece) => piece.characters.length > 0);
  return simple(first.text, middle, last.text) ?? general(first, middle, last);
}

/** Patterns with one run of plain characters, at the start, at the end or anywhere. */
function simple(
  prefix: string | undefined,
  middle: readonly Piece[],
  suffix: string | undefined,
): ((text: string) => boolean) | undefined {
  if (middle.length === 0 && suffix === '' && prefix !== undefined) return (text) => text.startsWith(prefix);
  if (middle.length === 0 && prefix === '' && suffix !== undefined) return (text) => text.endsWith(suffix);
  const infix = middle[0]?.text;
  if (middle.length === 1 && infix !== undefined && prefix === '' && suffix === '')
    return (text) => text.includes(infix);
  return undefined;
}

function general(first: Piece, middle: readonly Piece[], last: Piece): (text: string) => boolean {
  return (text) => {
    let at = matchAt(first, text, 0);
    for (const piece of middle) {
      if (at === undefined) return false;
      at = findFrom(piece, text, at);
    }
    return at !== undefined && matchesEnd(last, text, at);
  };
}

function splitPattern(pattern: string): Piece[] {
  const pieces: (string | undefined)[][] = [[]];
  const letters = [...pattern];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] as string;
    const piece = pieces.at(-1) as (string | undefined)[];
    if (letter === '%') {
      pieces.push([]);
    } else if (letter === '_') {
      piece.push(undefined);
    } else if (letter === '\\') {
      at += 1;
      const literal = letters[at];
      if (literal === undefined) throw fault(`invalid pattern ${JSON.stringify(pattern)}: it ends in a lone backslash`);
      piece.push(literal);
    } else {
      piece.push(letter);
    }
  }
  return pieces.map((characters) => ({
    characters,
    text: characters.includes(undefined) ? undefined : characters.join(''),
  }));
}

/** Where the piece ends if it stands at `start`. */
function matchAt(piece: Piece, text: string, start: number): number | undefined {
  if (piece.text !== undefined) return text.startsWith(piece.text, start) ? start + piece.text.length : undefined;
  let at = start;
  for (const character of piece.characters) {
    const code = text.codePointAt(at);
    if (code === undefined) return undefined;
    if (character !== undefined && character.codePointAt(0) !== code) return undefined;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}

/** Where the first occurrence of the piece at or after `start` ends. */
function findFrom(piece: Piece, text: string, start: number): number | undefined {
  if (piece.text !== undefined) {
    const found = text.indexOf(piece.text, start);
    return found < 0 ? undefined : found + piece.text.length;
  }
  const [character] = piece.characters;
  let at = start;
  while (at <= text.length) {
    if (character !== undefined) at = text.indexOf(character, at);
    if (at < 0) return undefined;
    const end = matchAt(piece, text, at);
    if (end !== undefined) return end;
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return undefined;
}

/** Whether the piece ends the text and begins at or after `from`. */
function matchesEnd(piece: Piece, text: string, from: number): boolean {
  if (piece.text !== undefined) return text.length - piece.text.length >= from && text.endsWith(piece.text);
  let start = text.length;
  for (let count = piece.characters.length; count > 0; count--) {
    start -= start >= 2 && (text.codePointAt(start - 2) ?? 0) > 0xffff ? 2 : 1;
  }
  return start >= from && matchAt(piece, text, start) === text.length;
}
