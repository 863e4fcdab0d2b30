/** A term of the vocabulary that an unknown word may stand for. */
export interface Guess {
  /** Its place in the vocabulary. */
  readonly term: number;
  /** The guesses for a word have shares that sum to 1. */
  readonly share: number;
}

/** More guesses than these blur what is meant. */
const GUESSES_MAX = 6;
/** A word this short is the beginning of too many others. */
const PREFIX_LENGTH_MIN = 2;

interface Entry {
  readonly text: string;
  readonly term: number;
  readonly documents: number;
}

/**
 * Guesses what a word means that the vocabulary lacks, from how it is spelled:
 * - the beginning of known terms ("guit": somebody is typing) stands for those terms;
 * - else a word with a slip or two in it ("guittar", "haedphones") stands for the terms with the fewest slips.
 *
 * Common terms get more of the share. Slips are insertions, deletions, replacements and swaps of neighbours, one in a
 * word of 4 to 7 letters, two in a longer one, none in a number or a shorter word. The answer depends on the word and
 * the vocabulary only.
 */
export class SpellingGuesser {
  readonly #sorted: readonly Entry[];

  constructor(terms: readonly string[], documentCounts: ArrayLike<number>) {
    this.#sorted = terms
      .map((text, term) => ({ text, term, documents: documentCounts[term] ?? 0 }))
      .sort((a, b) => (a.text < b.text ? -1 : 1));
  }

  /** `word` as it was typed and `term`, its stem; empty if nothing known is near. */
  guess(word: string, term: string): Guess[] {
    const begun = this.guessBeginning(word, term);
    return begun.length > 0 ? begun : toGuesses(this.#fewestSlips(term), () => 1);
  }

  /** What `word` is the beginning of, its own `term` left out. */
  guessBeginning(word: string, term: string): Guess[] {
    const begun = this.#beginningWith(word).filter((entry) => entry.text !== term);
    return toGuesses(begun, (entry) => word.length / entry.text.length);
  }

  #beginningWith(prefix: string): Entry[] {
    if (prefix.length < PREFIX_LENGTH_MIN) return [];
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle]?.text ?? '') < prefix) low = middle + 1;
      else high = middle;
    }
    const found: Entry[] = [];
    for (let at = low; this.#sorted[at]?.text.startsWith(prefix); at++) found.push(this.#sorted[at] as Entry);
    return found;
  }

  /** Compares with every term of about the same length: about ten milliseconds for ten thousand, paid once a word. */
  #fewestSlips(word: string): Entry[] {
    let slipsMax = /\p{N}/u.test(word) || word.length < 4 ? 0 : word.length < 8 ? 1 : 2;
    let found: Entry[] = [];
    if (slipsMax === 0) return found;
    for (const entry of this.#sorted) {
      if (Math.abs(entry.text.length - word.length) > slipsMax) continue;
      const slips = countSlips(word, entry.text, slipsMax);
      if (slips > slipsMax) continue;
      if (slips < slipsMax) {
        slipsMax = slips;
        found = [];
      }
      found.push(entry);
    }
    return found;
  }
}

function toGuesses(entries: readonly Entry[], likeness: (entry: Entry) => number): Guess[] {
  const weighted = entries
    .map((entry) => ({ term: entry.term, weight: Math.sqrt(entry.documents) * likeness(entry) }))
    .sort((a, b) => b.weight - a.weight || a.term - b.term)
    .slice(0, GUESSES_MAX);
  const sum = weighted.reduce((total, { weight }) => total + weight, 0);
  return sum === 0 ? [] : weighted.map(({ term, weight }) => ({ term, share: weight / sum }));
}

/**
 * The slips between two words ("optimal string alignment": edit distance with swaps of neighbours), or any number above
 * `most` once it is clear that there are more.
 */
export function countSlips(a: string, b: string, most: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let slips = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        slips = Math.min(slips, (beforeLast[column - 2] as number) + 1);
      }
      current.push(slips);
      if (slips < least) least = slips;
    }
    // A swap reaches back two rows, so the row before must be beyond the bound as well.
    if (least > most && Math.min(...last) > most) return most + 1;
    beforeLast = last;
    last = current;
  }
  return last[b.length] as number;
}
