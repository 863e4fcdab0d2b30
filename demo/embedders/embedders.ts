import { ElanusError, type Embedder } from 'elanus/browser';
import type { EmbedderChoice } from '../collections/profile.ts';
import { ownEmbedder, type TextClient, transformersEmbedder } from '../text/text-client.ts';

/** A model that is loaded from an address, which the person sees and confirms first. */
export type TransformersChoice = EmbedderChoice & { readonly kind: 'transformers' };

/** The embedders that the page has loaded. */
export class Embedders {
  readonly #worker: TextClient;
  #own: Promise<Embedder> | undefined;
  readonly #loaded = new Map<string, Promise<Embedder>>();

  constructor(worker: TextClient) {
    this.#worker = worker;
  }

  /** The page's own: small, and there without a network. */
  own(): Promise<Embedder> {
    this.#own ??= ownEmbedder(this.#worker);
    return this.#own;
  }

  /**
   * A Transformers.js model. Call it only after the person has seen the addresses and agreed: code from there runs in
   * this page. Rejects with a sentence for the person.
   */
  async transformers(choice: TransformersChoice): Promise<Embedder> {
    const name = `${choice.moduleUrl} ${choice.model}`;
    const loading = this.#loaded.get(name) ?? transformersEmbedder(this.#worker, choice);
    this.#loaded.set(name, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(name);
      const offline = navigator.onLine ? '' : 'You are offline. ';
      const { message } = error as Error;
      throw new ElanusError(
        'unavailable',
        `${offline}The model ${choice.model} could not be loaded: ${message} The page's own embedder works without a network.`,
        { cause: error },
      );
    }
  }

  /** That of a collection if it is at hand, without asking anybody; undefined for a model that is to be loaded first. */
  async ready(choice: EmbedderChoice): Promise<Embedder | undefined> {
    switch (choice.kind) {
      case 'own':
        return this.own();
      case 'transformers':
        return this.#loaded.get(`${choice.moduleUrl} ${choice.model}`);
      case 'file':
        return undefined;
    }
  }
}
