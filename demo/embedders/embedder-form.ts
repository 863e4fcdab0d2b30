import type { Embedder } from 'elanus/browser';
import type { EmbedderChoice } from '../collections/profile.ts';
import { make } from '../page/elements.ts';
import type { Embedders } from './embedders.ts';

/** The choice of an embedder, and the embedder itself once it is wanted. */
export interface EmbedderForm {
  readonly element: HTMLElement;
  read(): EmbedderChoice;
  /** Rejects if the person has not agreed to load what is to be loaded, or it cannot be. */
  load(onProgress: (text: string) => void): Promise<Embedder>;
}

const MODULE_URL = 'https://cdn.jsdelivr.net/npm/@huggingface/transformers@4.3.1';
const MODEL = 'Xenova/all-MiniLM-L6-v2';

/** Radio buttons for the page's own embedder and for one from an address that the person sees, may change, and confirms. */
export async function embedderForm(embedders: Embedders): Promise<EmbedderForm> {
  const own = await embedders.own();
  const radio = (value: string, checked: boolean) => make('input', { type: 'radio', name: 'embedder', value, checked });
  const ownRadio = radio('own', true);
  const otherRadio = radio('transformers', false);
  const moduleUrl = make('input', { type: 'url', id: 'module-url', value: MODULE_URL, spellcheck: 'false' });
  const model = make('input', { type: 'text', id: 'model-name', value: MODEL, spellcheck: 'false' });
  const details = make(
    'div',
    { class: 'other-embedder', hidden: true },
    make('label', {}, 'Code from', moduleUrl),
    make('label', {}, 'Model', model),
    make('p', { class: 'fine' }, 'Before anything is loaded you are asked once more.'),
  );
  const show = (): void => {
    details.hidden = !otherRadio.checked;
  };
  for (const input of [ownRadio, otherRadio]) input.addEventListener('change', show);
  const read = (): EmbedderChoice =>
    ownRadio.checked
      ? { kind: 'own' }
      : { kind: 'transformers', moduleUrl: moduleUrl.value.trim(), model: model.value.trim() };
  return {
    element: make(
      'fieldset',
      { class: 'embedders' },
      make('legend', {}, 'Turned into vectors by'),
      make(
        'label',
        {},
        ownRadio,
        make(
          'span',
          {},
          'The page’s own embedder',
          make(
            'small',
            {},
            `${own.dimension} numbers, offline, at once. It learned from the products; other words it knows by their letters.`,
          ),
        ),
      ),
      make(
        'label',
        {},
        otherRadio,
        make(
          'span',
          {},
          'Transformers.js',
          make('small', {}, 'A language model, fetched from an address that you see; needs a network the first time.'),
        ),
      ),
      details,
    ),
    read,
    async load(onProgress) {
      const choice = read();
      if (choice.kind !== 'transformers') return own;
      return embedders.transformers(choice, onProgress);
    },
  };
}
