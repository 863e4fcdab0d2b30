import type { MemoryKind, MemoryUse } from 'elanus/browser';
import { make } from '../page/elements.ts';
import { bytesText } from '../page/words.ts';
import { barList } from './bars.ts';

const NAMES: Readonly<Record<MemoryKind, string>> = {
  vectors: 'Vectors (WASM)',
  spare: 'Spare (WASM)',
  growing: 'Rows in the log',
  columns: 'Loaded columns',
  deletes: 'Deletes',
  log: 'Writes on their way',
  flush: 'Flush',
  load: 'Loading',
  caches: 'Caches',
};

/** What the engine holds in memory, by kind. */
export function memoryPanel(memory: MemoryUse): Node[] {
  const kinds = (Object.entries(memory.kinds) as [MemoryKind, number][]).filter(([, bytes]) => bytes > 0);
  const bars = kinds
    .sort((a, b) => b[1] - a[1])
    .map(([kind, bytes]) => ({ name: NAMES[kind], value: bytes, text: bytesText(bytes) }));
  const share = memory.bytesMax === 0 ? 0 : (100 * memory.bytes) / memory.bytesMax;
  return [
    make(
      'p',
      { class: 'lead' },
      make('strong', {}, bytesText(memory.bytes)),
      ` of a budget of ${bytesText(memory.bytesMax)} (${share.toFixed(1)} %), at most ${bytesText(memory.bytesPeak)} so far`,
    ),
    barList(bars, memory.bytes),
  ];
}
