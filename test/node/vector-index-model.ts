import { compareDistances, type Metric } from '../../core/model/metric.ts';
import { referenceDistance } from '../core/vector/reference.ts';

/** What a `VectorIndex` does, in its plainest form: a map from ids to vectors. */
export class ModelIndex {
  readonly #metric: Metric;
  /** In the order in which they came: equal distances are ranked by it. */
  readonly vectors: Map<number | bigint, Float32Array> = new Map();

  constructor(metric: Metric) {
    this.#metric = metric;
  }

  add(vectors: readonly Float32Array[], ids: readonly (number | bigint)[]): void {
    for (const [at, id] of ids.entries()) {
      this.vectors.delete(id);
      this.vectors.set(id, vectors[at]!);
    }
  }

  /** How many there were. */
  remove(ids: readonly (number | bigint)[]): number {
    return ids.filter((id) => this.vectors.delete(id)).length;
  }

  search(
    query: Float32Array,
    isAllowed: (id: number | bigint) => boolean = () => true,
  ): { ids: (number | bigint)[]; distances: number[] } {
    const hits = [...this.vectors]
      .filter(([id]) => isAllowed(id))
      .map(([id, vector], order) => ({ id, order, distance: referenceDistance(this.#metric, query, vector) }))
      .sort((a, b) => compareDistances(this.#metric, a.distance, b.distance) || a.order - b.order);
    return { ids: hits.map(({ id }) => id), distances: hits.map(({ distance }) => distance) };
  }
}
