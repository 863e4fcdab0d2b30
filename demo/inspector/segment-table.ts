import type { ChannelInspection, CollectionInspection, SegmentInspection } from 'elanus/browser';
import { make } from '../page/elements.ts';
import { bytesText } from '../page/words.ts';

const HEADS: readonly (readonly [head: string, isNumber: boolean])[] = [
  ['What', false],
  ['State', false],
  ['Rows', true],
  ['Stored', true],
  ['In memory', true],
  ['Log since the checkpoint', true],
  ['Last flush', true],
];

/** Collections with their channels and segments. */
export function segmentTable(collections: readonly CollectionInspection[]): HTMLTableElement {
  return make(
    'table',
    {},
    make('caption', {}, 'Collections, their channels and segments'),
    make(
      'thead',
      {},
      make(
        'tr',
        {},
        ...HEADS.map(([head, isNumber]) => make('th', { scope: 'col', class: isNumber && 'number' }, head)),
      ),
    ),
    make('tbody', {}, ...collections.flatMap(collectionRows)),
  );
}

function collectionRows(collection: CollectionInspection): HTMLTableRowElement[] {
  const segments = collection.channels.flatMap((channel) => channel.segments);
  const sum = (bytes: (segment: SegmentInspection) => number): number =>
    segments.reduce((total, segment) => total + bytes(segment), 0);
  const head = row('collection', [
    make('strong', {}, collection.collectionName),
    collection.loaded ? 'loaded' : 'not loaded',
    collection.rowCount.toLocaleString('en'),
    bytesText(sum(({ bytesStored }) => bytesStored)),
    bytesText(sum(({ bytesInMemory }) => bytesInMemory)),
    '',
    '',
  ]);
  return [head, ...collection.channels.flatMap(channelRows)];
}

function channelRows(channel: ChannelInspection): HTMLTableRowElement[] {
  const { role, term, tailFrames, tailBytes, flushedAt, rowCount, segments } = channel;
  const head = row('sub', [
    `channel ${channel.channel}`,
    `${role}, term ${term}`,
    rowCount.toLocaleString('en'),
    '',
    '',
    tailFrames === 0 ? 'empty' : `${tailFrames.toLocaleString('en')} frames, ${bytesText(tailBytes)}`,
    flushedAt === undefined ? 'never' : new Date(flushedAt).toLocaleTimeString(),
  ]);
  return [head, ...segments.map(segmentRow)];
}

function segmentRow(segment: SegmentInspection): HTMLTableRowElement {
  const { id, state, rows, liveRows, bytesStored, bytesInMemory, indexType } = segment;
  const deleted = rows === liveRows ? '' : `, ${(rows - liveRows).toLocaleString('en')} deleted`;
  return row('sub segment', [
    `segment ${id}`,
    make('span', { class: `state ${state}` }, `${state}, ${indexType}`),
    `${liveRows.toLocaleString('en')}${deleted}`,
    bytesStored === 0 ? 'in the log' : bytesText(bytesStored),
    bytesText(bytesInMemory),
    '',
    '',
  ]);
}

function row(kind: string, cells: readonly (string | Node)[]): HTMLTableRowElement {
  return make(
    'tr',
    { class: kind },
    ...cells.map((cell, at) => make('td', { class: HEADS[at]?.[1] === true && 'number' }, cell)),
  );
}
