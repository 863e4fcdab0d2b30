import { ElanusError } from '../../core/base/error.ts';
import type { Embedder } from '../embedder/embedder.ts';

/** The part of Transformers.js that is used. */
interface TransformersModule {
  pipeline(
    task: 'feature-extraction',
    model: string,
  ): Promise<
    (
      texts: readonly string[],
      options: { readonly pooling: 'mean'; readonly normalize: true },
    ) => Promise<{ readonly data: ArrayLike<number>; readonly dims: readonly number[] }>
  >;
}

/** Loads a Transformers.js module and a model with it. Rejects with `unavailable` if either cannot be loaded. */
export async function loadTransformers(moduleUrl: string, model: string): Promise<Embedder> {
  const extract = await load(moduleUrl, model);
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const { data, dims } = await extract(texts, { pooling: 'mean', normalize: true });
    const dimension = dims.at(-1) ?? 0;
    return texts.map((_, at) => Float32Array.from({ length: dimension }, (_, i) => data[at * dimension + i] ?? 0));
  };
  const dimension = (await embed(['one']))[0]?.length ?? 0;
  return { model, dimension, embed };
}

async function load(moduleUrl: string, model: string) {
  try {
    const { pipeline } = (await import(/* @vite-ignore */ moduleUrl)) as TransformersModule;
    return await pipeline('feature-extraction', model);
  } catch (error) {
    throw new ElanusError('unavailable', `${(error as Error).message}.`, { cause: error });
  }
}
