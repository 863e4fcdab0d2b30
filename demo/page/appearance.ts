import { find } from './elements.ts';

const CHOICE = 'elanus-demo-appearance';
const NEXT: Readonly<Record<string, string>> = { auto: 'dark', dark: 'light', light: 'auto' };

/** The button that goes round: as the system has it, dark, light. The choice is kept in this browser. */
export function startAppearance(): void {
  const button = find<HTMLButtonElement>('appearance');
  const show = (choice: string): void => {
    document.documentElement.style.colorScheme = choice === 'auto' ? '' : choice;
    button.dataset['choice'] = choice;
    button.setAttribute('aria-label', `Appearance: ${choice === 'auto' ? 'as the system' : choice}. Change`);
    button.title = `Appearance: ${choice === 'auto' ? 'as the system' : choice}`;
    // What is drawn and not styled has to be drawn again.
    dispatchEvent(new Event('appearance'));
  };
  let choice = readChoice();
  show(choice);
  button.addEventListener('click', () => {
    choice = NEXT[choice] ?? 'auto';
    try {
      localStorage.setItem(CHOICE, choice);
    } catch {
      // A browser that keeps nothing for this page: the choice lasts as long as the page.
    }
    show(choice);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('appearance')));
}

function readChoice(): string {
  try {
    const kept = localStorage.getItem(CHOICE);
    return kept !== null && kept in NEXT ? kept : 'auto';
  } catch {
    return 'auto';
  }
}

/** Whether the person asked for less motion. */
export function wantsLessMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
