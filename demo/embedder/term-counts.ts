import { stem, words } from './tokenizer.ts';

/** The terms of a text and how often each occurs. */
export type TermCounts = ReadonlyMap<string, number>;

/**
 * Counts the terms of a document. If it has several lines, the first is its title, and each occurrence there counts
 * `titleWeight` times. `toTerm` may be a stemmer that remembers its answers.
 */
export function countTerms(text: string, titleWeight: number, toTerm: (word: string) => string = stem): TermCounts {
  const counts = new Map<string, number>();
  const titleEnd = Math.max(0, text.indexOf('\n'));
  for (const [part, weight] of [[text.slice(0, titleEnd), titleWeight] as const, [text.slice(titleEnd), 1] as const]) {
    for (const word of words(part)) {
      const term = toTerm(word);
      counts.set(term, (counts.get(term) ?? 0) + weight);
    }
  }
  return counts;
}

/** The part of a term's value that depends on the text: the tenth occurrence says less than the first. */
export function localWeight(count: number): number {
  return Math.log2(1 + count);
}
