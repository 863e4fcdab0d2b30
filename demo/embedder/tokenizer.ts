/**
 * How the demo's embedder cuts a text into terms: runs of letters and digits, lower case, without accents, without the
 * commonest English words, and without the endings of plural and verb forms, so that "Headphones" and "headphone" are
 * one term. Training and embedding must use the same rules: a change here needs a new model.
 */

/** Words that say nothing of what a text is about. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be been but by can did do does for from had has have how i if in into is it its may no not of ' +
    'on or our over so such than that the their them then there these they this those to under up upon was we were ' +
    'what when where which while who why will with would you your'
  ).split(' '),
);

/** A run without an end is no word; it is cut so that a term has at most 240 bytes of UTF-8. */
const WORD = /[\p{L}\p{N}]{1,60}/gu;
const MARKS = /\p{M}+/gu;
const APOSTROPHES = /['’‘]/gu;
/** Latin letters and digits need no normalisation, which is slow. */
const PLAIN = /^[\n\r\t -~]*$/;

/** The words of a text in order, as they are written but lower case and without accents; stop words are left out. */
export function words(text: string): string[] {
  const plain = PLAIN.test(text) ? text : text.normalize('NFKD').replace(MARKS, '');
  const found = plain.toLowerCase().replace(APOSTROPHES, '').match(WORD) ?? [];
  return found.filter((word) => !STOP_WORDS.has(word));
}

/**
 * The term that stands for all forms of an English word. It need not be a word itself ("puzzle" → "puzzl"), only the
 * same for every form. Lighter than Porter's stemmer, which joins more words that mean different things.
 */
export function stem(word: string): string {
  let term = withoutPlural(word);
  if (term.length > 5 && term.endsWith('ing') && hasVowel(term, 3)) term = undouble(term.slice(0, -3));
  else if (term.length > 4 && term.endsWith('ed') && !term.endsWith('eed') && hasVowel(term, 2)) {
    term = undouble(term.slice(0, -2));
  }
  if (term.length > 3 && term.endsWith('e')) term = term.slice(0, -1);
  if (term.length > 3 && term.endsWith('y') && !isVowel(term.at(-2))) term = `${term.slice(0, -1)}i`;
  return term;
}

/** Harman's "S" stemmer: "batteries" → "battery", "boxes" → "box", "shoes" → "shoe"; "bass" and "bus" stay. */
function withoutPlural(word: string): string {
  if (word.length <= 3 || !word.endsWith('s')) return word;
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:[sxz]|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('ss') || word.endsWith('us') ? word : word.slice(0, -1);
}

/** "wedd" (of "wedding") → "wed"; "fill" and "press" keep theirs. */
function undouble(term: string): string {
  const last = term.at(-1) ?? '';
  return term.length > 3 && last === term.at(-2) && !'lsz'.includes(last) ? term.slice(0, -1) : term;
}

/** Whether something that can be spoken is left without the ending: "string" is not a form of "str". */
function hasVowel(term: string, ending: number): boolean {
  return /[aeiouy]/.test(term.slice(0, -ending));
}

function isVowel(letter: string | undefined): boolean {
  return letter !== undefined && 'aeiou'.includes(letter);
}
