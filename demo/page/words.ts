import type { ElanusError } from 'elanus';

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });

/** A price in cents, as a shop writes it. */
export function priceText(cents: number): string {
  return cents === 0 ? 'free' : money.format(cents / 100);
}

/** A count with its noun, which gets an `s` unless it is one. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Bytes in the unit that suits them. */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return 'not said';
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1000 * 1024) return `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
  const mega = bytes / 2 ** 20;
  return mega < 1000 ? `${mega.toFixed(mega < 10 ? 1 : 0)} MB` : `${(mega / 1024).toFixed(1)} GB`;
}

/** A duration in the unit that suits it. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** What to tell a person about an error. */
export function explain(error: unknown): string {
  const { code, message } = error as Partial<ElanusError>;
  switch (code) {
    case 'locked':
      return `Another tab holds this database and does not share it: ${message}`;
    case 'quota':
      return 'The browser gives this page no more room. Delete a collection or free some space, then try again.';
    case 'aborted':
      return 'Stopped.';
    default:
      return message ?? String(error);
  }
}

/** Whether an error is only that somebody gave up waiting. */
export function isAborted(error: unknown): boolean {
  return (error as Partial<ElanusError>).code === 'aborted' || (error as Error).name === 'AbortError';
}
