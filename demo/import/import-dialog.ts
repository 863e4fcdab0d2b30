import type { BrowserDatabase, Embedder } from 'elanus/browser';
import type { EmbedderChoice } from '../collections/profile.ts';
import { type EmbedderForm, embedderForm } from '../embedders/embedder-form.ts';
import type { Embedders } from '../embedders/embedders.ts';
import { find, make } from '../page/elements.ts';
import { counted, durationText, explain, isAborted } from '../page/words.ts';
import { scanInWorker, type TextClient } from '../text/text-client.ts';
import { type ColumnForm, columnForm } from './choose-columns.ts';
import { EXAMPLE_NAME, exampleFile } from './example.ts';
import { type ImportProgress, importFile } from './import-job.ts';
import { type ImportPlan, planImport } from './plan.ts';
import type { FileFacts } from './scan.ts';

export interface ImportSurroundings {
  readonly db: BrowserDatabase;
  readonly text: TextClient;
  readonly embedders: Embedders;
  /** Called when a collection was filled, or kept half filled. */
  onImported(collectionName: string): void;
}

/** The dialog that takes a file from its choice to a collection, step by step. */
export class ImportDialog {
  readonly #surroundings: ImportSurroundings;
  readonly #dialog = find<HTMLDialogElement>('import');
  readonly #body = find('import-body');
  #running: AbortController | undefined;
  /** Counts the files that were begun with: an answer about an older one is not shown. */
  #attempt = 0;

  constructor(surroundings: ImportSurroundings) {
    this.#surroundings = surroundings;
    find('import-open').addEventListener('click', () => this.open());
    // Escape and the back gesture mean "stop" while an import runs, and "close" otherwise.
    this.#dialog.addEventListener('cancel', (event) => {
      if (this.#running === undefined) return;
      event.preventDefault();
      this.#running.abort();
    });
    this.#dialog.addEventListener('close', () => {
      this.#attempt++;
    });
    this.#listenForDrops();
  }

  open(): void {
    if (this.#running !== undefined) return;
    this.#choose();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #show(title: string, ...content: readonly (Node | string)[]): void {
    find('import-heading').textContent = title;
    this.#body.replaceChildren(...content);
  }

  #choose(problem?: string): void {
    const input = make('input', { type: 'file', id: 'import-file', accept: '.csv,.tsv,.txt,.json,.jsonl,.ndjson' });
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file !== undefined) void this.take(file);
    });
    this.#show(
      'Bring your own data',
      ...(problem === undefined ? [] : [make('p', { class: 'problem', role: 'alert' }, problem)]),
      make(
        'label',
        { class: 'drop', for: 'import-file' },
        make('strong', {}, 'Drop a file here, or choose one'),
        make('span', {}, 'CSV, JSON or JSON lines, of any size. It stays in this browser.'),
        input,
      ),
      make(
        'p',
        { class: 'fine' },
        'No file at hand? ',
        make('button', { type: 'button', class: 'link', onclick: () => void this.take(exampleFile()) }, EXAMPLE_NAME),
        ' is a small one.',
      ),
    );
  }

  /** Reads a file through, then asks what to do with it. */
  async take(file: File): Promise<void> {
    if (this.#running !== undefined) return;
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#attempt++;
    const attempt = this.#attempt;
    const bar = make('progress', { max: 1, value: 0, 'aria-label': 'Part of the file that has been read' });
    this.#show(file.name, make('p', { role: 'status' }, 'Reading the file through. Nothing is stored yet.'), bar);
    try {
      const facts = await scanInWorker(this.#surroundings.text, file, (part) => {
        bar.value = part;
      });
      if (attempt === this.#attempt) await this.#ask(file, facts);
    } catch (error) {
      if (attempt === this.#attempt) this.#choose(`${file.name}: ${explain(error)}`);
    }
  }

  async #ask(file: File, facts: FileFacts): Promise<void> {
    const columns = columnForm(facts);
    const embedding = await embedderForm(this.#surroundings.embedders);
    const problem = make('p', { class: 'problem', role: 'alert', hidden: true });
    const start = make('button', { type: 'submit', class: 'primary' }, `Import ${counted(facts.rows, 'row')}`);
    const form = make(
      'form',
      {},
      columns.element,
      embedding.element,
      problem,
      make(
        'div',
        { class: 'actions' },
        make('button', { type: 'button', onclick: () => this.#choose() }, 'Another file'),
        start,
      ),
    );
    const say = (text: string, isProblem: boolean): void => {
      problem.hidden = false;
      problem.className = isProblem ? 'problem' : 'warning';
      problem.textContent = text;
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      start.disabled = true;
      problem.hidden = true;
      this.#start(file, facts, { columns, embedding }, (text) => say(text, false)).catch((error: unknown) => {
        start.disabled = false;
        if (isAborted(error)) problem.hidden = true;
        else say(explain(error), true);
      });
    });
    this.#show(facts.name, form);
    start.focus();
  }

  /** Rejects if the embedder cannot be had or the collection not be planned: the form stays then. */
  async #start(
    file: File,
    facts: FileFacts,
    forms: { readonly columns: ColumnForm; readonly embedding: EmbedderForm },
    onStatus: (text: string) => void,
  ): Promise<void> {
    const { db, embedders } = this.#surroundings;
    const chosen = forms.columns.read();
    const controller = new AbortController();
    const fileDimension = facts.columns.find(({ name }) => name === chosen.vectors)?.dimension;
    const asked = forms.embedding.read();
    const isFromFile = fileDimension !== undefined;
    const embedder = isFromFile && asked.kind === 'own' ? await embedders.own() : await forms.embedding.load(onStatus);
    const fits = embedder.dimension === fileDimension;
    const choice: EmbedderChoice = isFromFile && !fits ? { kind: 'file' } : asked;
    const { vectors, ...columns } = chosen;
    const plan = planImport(
      facts,
      { ...columns, ...(vectors === undefined ? {} : { vectors }), embedder: choice },
      { dimension: fileDimension ?? embedder.dimension, model: choice.kind === 'file' ? undefined : embedder.model },
      await db.listCollections(),
    );
    this.#running = controller;
    void this.#run(file, facts, { plan, embedder: isFromFile ? undefined : embedder }, controller);
  }

  async #run(
    file: File,
    facts: FileFacts,
    { plan, embedder }: { readonly plan: ImportPlan; readonly embedder: Embedder | undefined },
    controller: AbortController,
  ): Promise<void> {
    const { db, text } = this.#surroundings;
    const bar = make('progress', { id: 'import-bar', max: facts.rows, value: 0, 'aria-label': 'Rows imported' });
    const rows = make('output', { id: 'import-rows', class: 'big' }, '0');
    const rate = make('p', { id: 'import-rate' }, 'Making the collection…');
    const stop = make('button', { type: 'button', id: 'import-stop', onclick: () => controller.abort() }, 'Stop');
    this.#show(
      `Importing ${facts.name}`,
      make('p', {}, rows, ` of ${counted(facts.rows, 'row')} embedded and stored`),
      bar,
      rate,
      make('div', { class: 'actions' }, stop),
    );
    stop.focus();
    const began = performance.now();
    const onProgress = (progress: ImportProgress): void => {
      bar.value = progress.rows;
      rows.textContent = progress.rows.toLocaleString('en');
      rate.textContent = rateText(progress);
    };
    try {
      await importFile(db, text, { file, facts, plan, embedder }, { signal: controller.signal, onProgress });
      this.#done(plan, facts.rows, performance.now() - began);
    } catch (error) {
      this.#ended(plan, facts, bar.value, error);
    } finally {
      this.#running = undefined;
    }
  }

  #done(plan: ImportPlan, rows: number, milliseconds: number): void {
    const search = make('button', { type: 'button', class: 'primary', onclick: () => this.#leave(plan) }, 'Search it');
    this.#show(
      `${plan.profile.label} is here`,
      make(
        'p',
        { role: 'status' },
        `${counted(rows, 'row')} in ${durationText(milliseconds)}, stored in this browser.`,
      ),
      make('div', { class: 'actions' }, search),
    );
    search.focus();
  }

  /** After a stop or a failure it is the person's to keep what is there. */
  #ended(plan: ImportPlan, facts: FileFacts, rows: number, error: unknown): void {
    const { db } = this.#surroundings;
    const drop = make('button', { type: 'button' }, 'Throw them away');
    drop.addEventListener('click', () => {
      drop.disabled = true;
      void db.dropCollection({ collectionName: plan.collectionName }).then(
        () => this.#dialog.close(),
        (failure: unknown) => this.#choose(explain(failure)),
      );
    });
    const keep = make('button', { type: 'button', class: 'primary', onclick: () => this.#leave(plan) }, 'Keep them');
    this.#show(
      isAborted(error) ? 'Stopped' : 'The import did not end well',
      ...(isAborted(error) ? [] : [make('p', { class: 'problem', role: 'alert' }, explain(error))]),
      make('p', { role: 'status' }, `${rows.toLocaleString('en')} of ${counted(facts.rows, 'row')} are stored.`),
      make('div', { class: 'actions' }, drop, keep),
    );
    keep.focus();
  }

  #leave(plan: ImportPlan): void {
    this.#dialog.close();
    this.#surroundings.onImported(plan.collectionName);
  }

  /** A file may be dropped anywhere on the page. */
  #listenForDrops(): void {
    const isFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
    let depth = 0;
    const mark = (): void => {
      document.documentElement.classList.toggle('dropping', depth > 0);
    };
    window.addEventListener('dragenter', (event) => {
      if (isFile(event)) depth++;
      mark();
    });
    window.addEventListener('dragleave', (event) => {
      if (isFile(event)) depth = Math.max(0, depth - 1);
      mark();
    });
    window.addEventListener('dragover', (event) => {
      if (isFile(event)) event.preventDefault();
    });
    window.addEventListener('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      depth = 0;
      mark();
      if (file === undefined) return;
      event.preventDefault();
      void this.take(file);
    });
  }
}

function rateText({ rows, total, rowsPerSecond }: ImportProgress): string {
  if (rows === total) return 'Writing the last of it to disk…';
  if (rowsPerSecond === 0) return '';
  const left = durationText((1000 * (total - rows)) / rowsPerSecond);
  return `${Math.round(rowsPerSecond).toLocaleString('en')} rows a second, about ${left} left`;
}
