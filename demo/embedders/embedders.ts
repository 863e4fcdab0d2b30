import { ElanusError, type Embedder } from 'elanus/browser';
import type { EmbedderChoice } from '../collections/profile.ts';
import { bytesText, isAborted } from '../page/words.ts';
import { ownEmbedder, type TextClient, transformersInWorker } from '../text/text-client.ts';
import { askToLoad } from './agree-dialog.ts';

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
   * A Transformers.js model. The person is shown the addresses first: code from there runs in this page. Rejects with a
   * sentence for the person; `aborted` if they say no.
   */
  async transformers(choice: TransformersChoice, onProgress: (text: string) => void): Promise<Embedder> {
    const { moduleUrl, model } = choice;
    const name = `${moduleUrl} ${model}`;
    const loading =
      this.#loaded.get(name) ??
      transformersInWorker(
        this.#worker,
        { moduleUrl, model },
        {
          confirm: askToLoad,
          onProgress: ({ file, bytes, bytesTotal }) =>
            onProgress(`Loading ${file}: ${bytesText(bytes)} of ${bytesText(bytesTotal)}…`),
        },
      );
    this.#loaded.set(name, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(name);
      if (isAborted(error)) throw error;
      const offline = navigator.onLine ? '' : 'You are offline. ';
      const { code, message } = error as ElanusError;
      throw new ElanusError(code, `${offline}${message} The page’s own embedder works without a network.`, {
        cause: error,
      });
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
