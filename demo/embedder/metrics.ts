/** What is relevant to a query: how much (above 0), by document number. */
export type Relevance = ReadonlyMap<number, number>;

/** The numbers of the documents by falling cosine to the query (all vectors have length 1 or 0), ties to the lower. */
export function rank(query: Float32Array, documents: readonly Float32Array[]): number[] {
  const scores = documents.map((document) => {
    let sum = 0;
    for (let index = 0; index < document.length; index++) sum += (document[index] as number) * (query[index] as number);
    return sum;
  });
  return scores.map((_, row) => row).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

/** Normalised discounted cumulative gain of the first ten, with the grades themselves as gains; 1 is the best order. */
export function ndcg10(ranking: readonly number[], relevance: Relevance): number {
  const gain = (grades: readonly number[]): number =>
    grades.slice(0, 10).reduce((sum, grade, place) => sum + grade / Math.log2(place + 2), 0);
  const best = gain([...relevance.values()].sort((a, b) => b - a));
  return best === 0 ? 0 : gain(ranking.slice(0, 10).map((row) => relevance.get(row) ?? 0)) / best;
}

/** The mean, over the relevant documents, of the precision of the ranking down to each. */
export function averagePrecision(ranking: readonly number[], relevance: Relevance): number {
  let found = 0;
  let sum = 0;
  for (const [place, row] of ranking.entries()) {
    if (!relevance.has(row)) continue;
    found += 1;
    sum += found / (place + 1);
  }
  return relevance.size === 0 ? 0 : sum / relevance.size;
}

/** One over the place of the first relevant document, 0 if it is not among the first ten. */
export function reciprocalRank10(ranking: readonly number[], relevance: Relevance): number {
  const place = ranking.slice(0, 10).findIndex((row) => relevance.has(row));
  return place === -1 ? 0 : 1 / (place + 1);
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
