import { find, make } from '../page/elements.ts';

/** Shows the addresses that something would be loaded from, and resolves with whether the person agrees. */
export function askToLoad(urls: readonly string[]): Promise<boolean> {
  const dialog = find<HTMLDialogElement>('agree');
  const refuse = make('button', { type: 'button', onclick: () => dialog.close('no') }, 'No');
  const agree = make('button', { type: 'button', class: 'primary', onclick: () => dialog.close('yes') }, 'Load it');
  find('agree-body').replaceChildren(
    make('p', {}, 'Code and a model would be loaded from these addresses, and run in this page:'),
    make('ul', { class: 'addresses' }, ...urls.map((url) => make('li', {}, url))),
    make('p', { class: 'fine' }, 'They see that you load them, as every site does. Your texts stay here.'),
    make('div', { class: 'actions' }, refuse, agree),
  );
  dialog.returnValue = 'no';
  dialog.showModal();
  refuse.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
