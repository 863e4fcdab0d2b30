import type { Elanus } from 'elanus/browser';
import { find, make } from '../page/elements.ts';
import { counted, explain } from '../page/words.ts';
import type { ShelvedCollection } from './shelf.ts';

/** Asks before a collection is deleted: there is no way back. */
export function askToDelete(db: Elanus, collection: ShelvedCollection, onDeleted: () => void): void {
  const dialog = find<HTMLDialogElement>('delete');
  const { profile, count, name } = collection;
  const problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  const drop = make('button', { type: 'button', class: 'danger' }, 'Delete it');
  const keep = make('button', { type: 'button', onclick: () => dialog.close() }, 'Keep it');
  drop.addEventListener('click', () => {
    drop.disabled = true;
    db.dropCollection({ collectionName: name }).then(
      () => {
        dialog.close();
        onDeleted();
      },
      (error: unknown) => {
        drop.disabled = false;
        problem.hidden = false;
        problem.textContent = explain(error);
      },
    );
  });
  find('delete-heading').textContent = `Delete ${profile.label}?`;
  find('delete-body').replaceChildren(
    make(
      'p',
      {},
      `Its ${counted(count, 'row')} and their vectors go from this browser. The file that they came from stays.`,
    ),
    problem,
    make('div', { class: 'actions' }, keep, drop),
  );
  dialog.showModal();
  keep.focus();
}
