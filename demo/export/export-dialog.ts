import type { Elanus } from 'elanus/browser';
import { VECTOR_FIELD } from '../collections/profile.ts';
import { readRows } from '../collections/read-rows.ts';
import type { ShelvedCollection } from '../collections/shelf.ts';
import { find, make } from '../page/elements.ts';
import { bytesText, counted, explain, isAborted } from '../page/words.ts';
import type { TextClient } from '../text/text-client.ts';
import { download, growFile } from './export-file.ts';

/** Rows read and written at a time. */
const PAGE_ROWS = 200;

/** Writes a collection into a file of JSON lines, which the import reads back. */
export class ExportDialog {
  readonly #db: Elanus;
  readonly #text: TextClient;
  readonly #dialog = find<HTMLDialogElement>('export');
  #running: AbortController | undefined;

  constructor(db: Elanus, text: TextClient) {
    this.#db = db;
    this.#text = text;
    this.#dialog.addEventListener('close', () => this.#running?.abort());
  }

  open(collection: ShelvedCollection): void {
    const { profile, count, dimension } = collection;
    const vectors = make('input', { type: 'checkbox', id: 'export-vectors', checked: true });
    const start = make('button', { type: 'submit', class: 'primary' }, 'Export');
    const form = make(
      'form',
      {},
      make(
        'p',
        {},
        `${counted(count, 'row')} as JSON lines: one object a line, which any tool reads, and this page too.`,
      ),
      make(
        'label',
        { class: 'agree' },
        vectors,
        ` With the vectors (about ${bytesText(count * dimension * 11)} more; they need not be made again)`,
      ),
      make(
        'div',
        { class: 'actions' },
        make('button', { type: 'button', onclick: () => this.#dialog.close() }, 'Cancel'),
        start,
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#export(collection, vectors.checked);
    });
    find('export-heading').textContent = `Export ${profile.label}`;
    find('export-body').replaceChildren(form);
    this.#dialog.showModal();
    start.focus();
  }

  async #export(collection: ShelvedCollection, withVectors: boolean): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    const bar = make('progress', { max: collection.count, value: 0, 'aria-label': 'Rows written' });
    const status = make('p', { role: 'status' }, 'Writing…');
    const stop = make('button', { type: 'button', onclick: () => this.#dialog.close() }, 'Stop');
    find('export-body').replaceChildren(status, bar, make('div', { class: 'actions' }, stop));
    try {
      const { name, file, rows } = await this.#write(collection, { withVectors, signal: controller.signal }, (done) => {
        bar.value = done;
      });
      download(file, name);
      status.textContent = `${counted(rows, 'row')} in ${name}, ${bytesText(file.size)}.`;
      stop.textContent = 'Done';
      stop.focus();
    } catch (error) {
      if (isAborted(error)) return;
      status.setAttribute('role', 'alert');
      status.classList.add('problem');
      status.textContent = explain(error);
    } finally {
      this.#running = undefined;
    }
  }

  async #write(
    collection: ShelvedCollection,
    options: { readonly withVectors: boolean; readonly signal: AbortSignal },
    onProgress: (rows: number) => void,
  ): Promise<{ readonly name: string; readonly file: Blob; readonly rows: number }> {
    const { withVectors, signal } = options;
    const names = collection.fields.map(({ name }) => name);
    const fields = names.filter((name) => withVectors || name !== VECTOR_FIELD);
    const name = `${collection.name}.jsonl`;
    const file = await growFile(name);
    let rows = 0;
    try {
      for await (const page of readRows(this.#db, collection, { fields, pageRows: PAGE_ROWS, signal })) {
        await file.write(await this.#text.encodeRows(page));
        rows += page.length;
        onProgress(rows);
      }
      return { name, file: await file.finish(), rows };
    } catch (error) {
      await file.discard();
      throw error;
    }
  }
}
