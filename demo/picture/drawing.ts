/** What there is to draw, in the unit square. */
export interface Drawing {
  /** `x, y` of each point. */
  readonly places: Float32Array;
  /** Which colour each point has: an index, or −1 for the plain one. */
  readonly colours: Int8Array;
  /** Points that a search found, nearest first. */
  readonly lit: readonly number[];
  /** The point that somebody looks at. */
  readonly looked: number | undefined;
}

/** The colours of the page, read from its style. */
export interface Palette {
  readonly plain: string;
  readonly groups: readonly string[];
  readonly lit: string;
  readonly ring: string;
  readonly background: string;
}

/** Groups that get a colour of their own. */
export const GROUPS_MAX = 8;
/** Room at the edges, in CSS pixels: points there are drawn whole. */
const MARGIN = 10;

/** Where a place of the unit square lies on a canvas of this many CSS pixels, and the other way round. */
export function toCanvas(value: number, size: number): number {
  return MARGIN + value * (size - 2 * MARGIN);
}

export function fromCanvas(value: number, size: number): number {
  return (value - MARGIN) / (size - 2 * MARGIN);
}

/** Reads the palette from the custom properties of an element. */
export function readPalette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  // A probe turns `light-dark(…)` into the colour that is shown.
  const probe = document.createElement('i');
  element.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    plain: colour('--point'),
    groups: Array.from({ length: GROUPS_MAX }, (_, at) => colour(`--group-${at + 1}`)),
    lit: colour('--accent'),
    ring: colour('--ink'),
    background: style.backgroundColor,
  };
  probe.remove();
  return palette;
}

/** Draws all points; while some are lit, the others step back. */
export function drawPoints(context: CanvasRenderingContext2D, drawing: Drawing, palette: Palette, size: number): void {
  const { places, colours } = drawing;
  context.clearRect(0, 0, size, size);
  const side = places.length > 4000 ? 2 : places.length > 600 ? 3 : 5;
  context.globalAlpha = drawing.lit.length > 0 ? 0.4 : 0.85;
  for (let colour = -1; colour < palette.groups.length; colour++) {
    // One path for each colour: ten thousand single ones take longer than a frame.
    context.beginPath();
    for (let point = 0; point < colours.length; point++) {
      if (colours[point] !== colour) continue;
      const x = toCanvas(places[point * 2] as number, size);
      const y = toCanvas(places[point * 2 + 1] as number, size);
      context.rect(x - side / 2, y - side / 2, side, side);
    }
    context.fillStyle = (colour < 0 ? undefined : palette.groups[colour]) ?? palette.plain;
    context.fill();
  }
  context.globalAlpha = 1;
}

/** Draws what a search found, nearest on top and largest, and the point that is looked at. */
export function drawLit(context: CanvasRenderingContext2D, drawing: Drawing, palette: Palette, size: number): void {
  const { places, lit, looked } = drawing;
  const circle = (point: number, radius: number): void => {
    context.beginPath();
    context.arc(
      toCanvas(places[point * 2] as number, size),
      toCanvas(places[point * 2 + 1] as number, size),
      radius,
      0,
      2 * Math.PI,
    );
  };
  for (let rank = lit.length - 1; rank >= 0; rank--) {
    circle(lit[rank] as number, rank === 0 ? 6.5 : 5 - (2 * rank) / lit.length);
    context.fillStyle = palette.lit;
    context.fill();
    context.strokeStyle = palette.background;
    context.lineWidth = 1.25;
    context.stroke();
  }
  if (looked === undefined) return;
  circle(looked, 9);
  context.strokeStyle = palette.ring;
  context.lineWidth = 2;
  context.stroke();
}
