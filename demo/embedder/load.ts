import { type Embedder, loadEmbedder } from './embedder.ts';

/** Fetches the model that `train.ts` wrote beside this file, and makes it an embedder. */
export async function loadModel(): Promise<Embedder> {
  const url = new URL('./model.bin', import.meta.url);
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`The embedding model did not load from ${url.pathname}: status ${response.status}.`);
  return loadEmbedder(new Uint8Array(await response.arrayBuffer()));
}
