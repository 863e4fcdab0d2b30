import { find } from './elements.ts';

/** Makes the page work without a network from the second visit on, and says when there is none. */
export function startOffline(): void {
  if ('serviceWorker' in navigator && import.meta.env.PROD) {
    navigator.serviceWorker.register('./sw.js').catch(() => undefined);
  }
  const show = (): void => {
    find('network').hidden = navigator.onLine;
  };
  addEventListener('online', show);
  addEventListener('offline', show);
  show();
}
