import { type Measured, medianOf, type SetMeasured } from './measure.ts';

/**
 * Recall against queries a second, one panel a set, as SVG. Further right and further up is better. The recall axis is
 * that of the share that is missed, on a logarithmic scale, since from 0.95 to 0.99 is as far as from 0.75 to 0.95.
 */

const PANEL = { width: 460, height: 340, left: 56, right: 14, top: 40, bottom: 42 };
const COLUMNS = 2;
const LEGEND_LINE = 20;
const RECALLS = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
const RECALL_MIN = 0.78;
const RECALL_MAX = 0.9992;

/** Ours in warm colours, dashed with SIMD128 alone, dotted with vectors in a file; peers in cold ones. */
const COLOURS: readonly (readonly [RegExp, string])[] = [
  [/^Elanus HNSW_SQ8/, '#d62728'],
  [/^Elanus HNSW_SQ4/, '#ff7f0e'],
  [/^Elanus HNSW_RABITQ/, '#bcbd22'],
  [/^Elanus HNSW/, '#8c564b'],
  [/^hnswlib native/, '#000000'],
  [/^hnswlib-wasm/, '#1f77b4'],
  [/^hnswlib-node -/, '#17becf'],
  [/^hnswlib-node/, '#6baed6'],
  [/^usearch/, '#2ca02c'],
  [/^edgevec/, '#9467bd'],
  [/^voy/, '#e377c2'],
];
const OTHER_COLOUR = '#7f7f7f';

/** The whole picture. */
export function plot(sets: readonly SetMeasured[], caption: string): string {
  const rows = Math.ceil(sets.length / COLUMNS);
  const names = [...new Set(sets.flatMap(({ measured }) => measured.map(({ system }) => system)))];
  const width = COLUMNS * PANEL.width;
  const legendTop = 30 + rows * PANEL.height;
  const height = legendTop + Math.ceil(names.length / COLUMNS) * LEGEND_LINE + 16;
  const panels = sets.map((set, index) => {
    const x = (index % COLUMNS) * PANEL.width;
    const y = 30 + Math.floor(index / COLUMNS) * PANEL.height;
    return `<g transform="translate(${x} ${y})">${panel(set)}</g>`;
  });
  const legend = names.map((name, index) => {
    const x = 20 + (index % COLUMNS) * PANEL.width;
    const y = legendTop + Math.floor(index / COLUMNS) * LEGEND_LINE + 10;
    return `<line x1="${x}" x2="${x + 34}" y1="${y - 4}" y2="${y - 4}" ${stroke(name)}/>${text(x + 42, y, name)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(20, 20, caption),
    ...panels,
    ...legend,
    '</svg>\n',
  ].join('\n');
}

interface Dot {
  readonly recall: number;
  readonly rate: number;
}

function panel(set: SetMeasured): string {
  const curves = set.measured.map((one) => ({ name: one.system, dots: dotsOf(one) }));
  const rates = curves.flatMap(({ dots }) => dots.map(({ rate }) => rate));
  const low = Math.min(...rates, 1000);
  const high = Math.max(...rates, 10_000);
  const x = (recall: number) => {
    const missed = (value: number) => -Math.log10(1 - value);
    const share = (missed(recall) - missed(RECALL_MIN)) / (missed(RECALL_MAX) - missed(RECALL_MIN));
    return PANEL.left + share * (PANEL.width - PANEL.left - PANEL.right);
  };
  const y = (rate: number) => {
    const share = Math.log(rate / low) / Math.log(high / low);
    return PANEL.height - PANEL.bottom - share * (PANEL.height - PANEL.top - PANEL.bottom);
  };
  const title = `${set.set}, ${set.size.toLocaleString('en')} × ${set.dimension}, ${set.metric}`;
  return [
    text(PANEL.left, 20, title, 'font-weight="600"'),
    ...RECALLS.map((recall) => verticalLine(x(recall), String(recall))),
    ...ticks(low, high).map((rate) => horizontalLine(y(rate), rate.toLocaleString('en'))),
    text(PANEL.width / 2, PANEL.height - 8, 'recall@10', 'text-anchor="middle"'),
    text(PANEL.left, 32, 'queries a second, one thread', 'font-size="10" fill="#666"'),
    ...curves.map(({ name, dots }) => curve(name, dots, x, y)),
  ].join('\n');
}

function dotsOf({ points }: Measured): Dot[] {
  return points.flatMap(({ recall, rates }) => {
    const rate = medianOf(rates.filter((value) => value !== undefined));
    if (rate === undefined || recall < RECALL_MIN) return [];
    return [{ recall: Math.min(recall, RECALL_MAX), rate }];
  });
}

function curve(name: string, dots: readonly Dot[], x: (recall: number) => number, y: (rate: number) => number): string {
  const places = dots.map(({ recall, rate }) => `${x(recall).toFixed(1)},${y(rate).toFixed(1)}`);
  const circles = places.map((place) => {
    const [cx, cy] = place.split(',');
    return `<circle cx="${cx}" cy="${cy}" r="2" fill="${colour(name)}"/>`;
  });
  return `<polyline points="${places.join(' ')}" ${stroke(name)}/>${circles.join('')}`;
}

function verticalLine(x: number, label: string): string {
  const bottom = PANEL.height - PANEL.bottom;
  return `<line x1="${x}" x2="${x}" y1="${PANEL.top}" y2="${bottom}" stroke="#e4e4e4"/>${text(x, bottom + 14, label, 'text-anchor="middle" font-size="10"')}`;
}

function horizontalLine(y: number, label: string): string {
  return `<line x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y}" y2="${y}" stroke="#e4e4e4"/>${text(PANEL.left - 6, y + 4, label, 'text-anchor="end" font-size="10"')}`;
}

/** 1, 2 and 5 times the powers of ten. */
function ticks(low: number, high: number): number[] {
  const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
  return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((rate) => rate >= low && rate <= high);
}

function stroke(name: string): string {
  const dash = name.includes('SIMD128')
    ? 'stroke-dasharray="7 4"'
    : name.includes('file')
      ? 'stroke-dasharray="2 3"'
      : '';
  return `fill="none" stroke="${colour(name)}" stroke-width="1.8" ${dash}`;
}

function colour(name: string): string {
  return COLOURS.find(([pattern]) => pattern.test(name))?.[1] ?? OTHER_COLOUR;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
