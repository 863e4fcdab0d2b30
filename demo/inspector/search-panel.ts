import type { SearchTrace, SegmentTrace } from 'elanus/browser';
import { make } from '../page/elements.ts';
import { counted, durationText } from '../page/words.ts';
import { type Bar, barList } from './bars.ts';

/** A search as the page saw it: with its embedding, and over the way between page and engine. */
export interface SearchTimes {
  readonly embedMs: number;
  readonly searchMs: number;
  readonly trace: SearchTrace | undefined;
}

/** Where the last search spent its time, step by step. */
export function searchPanel(times: SearchTimes | undefined): Node[] {
  if (times === undefined) return [make('p', { class: 'fine' }, 'Nothing was searched yet.')];
  const { embedMs, searchMs, trace } = times;
  const whole = embedMs + searchMs;
  const lead = make('p', { class: 'lead' }, make('strong', {}, durationText(whole)), ` ${summaryOf(trace)}`);
  const steps: Bar[] = [bar('Embed the words', embedMs), ...(trace === undefined ? [] : stepsOf(trace, searchMs))];
  if (trace === undefined) steps.push(bar('Search', searchMs));
  return [lead, barList(steps, whole)];
}

function summaryOf(trace: SearchTrace | undefined): string {
  if (trace === undefined) return 'in all; the edge does not tell its steps';
  const segments = trace.channels.flatMap((channel) => channel.segments);
  const rows = segments.reduce((sum, segment) => sum + segment.rowsAllowed, 0);
  return `for ${counted(rows, 'row')} of ${counted(segments.length, 'segment')} in ${counted(trace.channels.length, 'channel')}`;
}

/** The steps follow one another; channels work at once, so the slowest one counts. */
function stepsOf(trace: SearchTrace, searchMs: number): Bar[] {
  const slowest = trace.channels.reduce<SearchTrace['channels'][number] | undefined>(
    (most, channel) => (most !== undefined && timeOf(most) >= timeOf(channel) ? most : channel),
    undefined,
  );
  const segments = slowest?.segments ?? [];
  const sum = (step: (segment: SegmentTrace) => number): number =>
    segments.reduce((total, segment) => total + step(segment), 0);
  const steps = [
    bar('Check and plan', trace.planMs),
    bar('Wait for the view', slowest?.waitMs ?? 0),
    bar(
      'Load columns',
      sum(({ loadMs }) => loadMs),
    ),
    bar(
      'Filter',
      sum(({ filterMs }) => filterMs),
    ),
    bar(
      'Scan vectors',
      sum(({ scanMs }) => scanMs),
    ),
    bar('Pick the nearest', (slowest?.mergeMs ?? 0) + trace.mergeMs),
    bar('Fetch fields', slowest?.fetchMs ?? 0),
  ];
  const told = steps.reduce((total, { value }) => total + value, 0);
  return [...steps, bar('Between workers', Math.max(0, searchMs - told))];
}

function timeOf(channel: SearchTrace['channels'][number]): number {
  const segments = channel.segments.reduce((sum, { loadMs, filterMs, scanMs }) => sum + loadMs + filterMs + scanMs, 0);
  return channel.waitMs + segments + channel.mergeMs + channel.fetchMs;
}

function bar(name: string, milliseconds: number): Bar {
  return { name, value: milliseconds, text: durationText(milliseconds) };
}
