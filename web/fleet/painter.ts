import { looks, tileStates, type TileState } from '../parts/look.tsx';
import type { FleetNow } from './fleet-source.ts';
import { gaugeWidth, pictureOf, type Box, type Column, type Picture } from './plan.ts';
import { pointOf, shareOf, travelling, type Journey } from './travel.ts';

type Brush = CanvasRenderingContext2D;

interface Palette {
  readonly states: Readonly<Record<TileState, string>>;
  readonly line: string;
  readonly text: string;
  readonly faint: string;
  readonly panel: string;
  readonly full: string;
}

const shapes = new Map(tileStates.map((state) => [state, new Path2D(looks[state].shape)]));
/** Of what travels, in pixels: as its tile allows. */
const smallest = 13;
const largest = 22;
/** The last part of the way, and in how many straight pieces it is drawn. */
const trailShare = 0.35;
const trailParts = 6;
/** A tile that is smaller than this has no room for a shape: it is filled with the colour of its state. */
const leastForShape = 8;

/**
 * Paints the fleet on two sheets. What stands still is painted when it has changed; what travels, sixty times a
 * second, on a sheet above that has nothing else on it: so its cost is that of what travels, and not of the fleet.
 */
export class Painter {
  readonly #still: HTMLCanvasElement;
  readonly #moving: HTMLCanvasElement;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  #fleet: FleetNow | undefined;
  #picture: Picture = { columns: [], width: 0, height: 0 };
  #columns: ReadonlyMap<string, Column> = new Map();
  #frame: number | undefined;

  constructor(still: HTMLCanvasElement, moving: HTMLCanvasElement) {
    this.#still = still;
    this.#moving = moving;
    this.#dark.addEventListener('change', this.#repaint);
    this.#calm.addEventListener('change', this.#repaint);
  }

  get picture(): Picture {
    return this.#picture;
  }

  /** Shows a fleet. @param width that there is, in pixels @param room how high it may be */
  show(fleet: FleetNow, width: number, room: number): void {
    this.#fleet = fleet;
    const hosts = fleet.hosts.map(({ host, capacityBytes }) => ({
      host,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      endpoints: (fleet.endpoints.get(host) ?? []).map(({ endpoint, sizeBytes }) => ({
        endpoint,
        bytes: sizeBytes,
      })),
    }));
    this.#picture = pictureOf(hosts, width, room);
    this.#columns = new Map(this.#picture.columns.map((column) => [column.host, column]));
    this.#repaint();
  }

  stop(): void {
    this.#dark.removeEventListener('change', this.#repaint);
    this.#calm.removeEventListener('change', this.#repaint);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  readonly #repaint = (): void => {
    if (this.#fleet === undefined) return;
    const palette = readPalette(this.#still);
    const brush = this.#prepare(this.#still);
    if (brush !== undefined) paintStill(brush, this.#picture, this.#fleet, palette);
    this.#prepare(this.#moving);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#animate(palette, [...this.#fleet.journeys.values()]);
  };

  #animate(palette: Palette, journeys: readonly Journey[]): void {
    const brush = this.#moving.getContext('2d');
    if (brush === null) return;
    const paint = (): void => {
      brush.clearRect(0, 0, this.#picture.width, this.#picture.height);
      const at = this.#calm.matches ? 'halfway' : Date.now();
      paintStops(brush, stopsOf(journeys, this.#columns, at), palette);
      // Who wants no motion gets a picture, and another one with the next look.
      this.#frame = journeys.length === 0 || this.#calm.matches ? undefined : requestAnimationFrame(paint);
    };
    paint();
  }

  /** As many dots as the screen has, and a brush that reckons in pixels of the page. */
  #prepare(canvas: HTMLCanvasElement): Brush | undefined {
    const { width, height } = this.#picture;
    const dots = Math.min(2, devicePixelRatio);
    const [wide, high] = [Math.round(width * dots), Math.round(height * dots)];
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.height = `${String(height)}px`;
    }
    const brush = canvas.getContext('2d') ?? undefined;
    brush?.setTransform(dots, 0, 0, dots, 0, 0);
    return brush;
  }
}

function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const of = (state: TileState): string => read(`state-${state}`);
  return {
    states: {
      serving: of('serving'),
      waiting: of('waiting'),
      transferring: of('transferring'),
      'cutting-over': of('cutting-over'),
      moved: of('moved'),
      retired: of('retired'),
      'rolling-back': of('rolling-back'),
      'rolled-back': of('rolled-back'),
      stuck: of('stuck'),
    },
    line: read('line-strong'),
    text: read('text'),
    faint: read('faint'),
    panel: read('panel'),
    full: read('bad'),
  };
}

function paintStill(
  brush: Brush,
  { columns, width, height }: Picture,
  fleet: FleetNow,
  palette: Palette,
): void {
  brush.clearRect(0, 0, width, height);
  const hosts = new Map(fleet.hosts.map((host) => [host.host, host]));
  brush.font = '12px system-ui, sans-serif';
  brush.textBaseline = 'top';
  for (const column of columns) {
    paintFrame(brush, column, hosts.get(column.host)?.intent.value ?? 'active', palette);
    for (const [endpoint, box] of column.tiles) {
      const leaving = fleet.journeys.get(endpoint);
      if (leaving?.source === column.host) paintLeaving(brush, box, palette.states[leaving.state]);
      else paintTile(brush, box, fleet.standing.get(endpoint)?.state ?? 'serving', palette);
    }
  }
}

function paintFrame(brush: Brush, { frame, filled, host }: Column, intent: string, palette: Palette): void {
  const { x, y, width, height } = frame;
  brush.strokeStyle = palette.line;
  brush.setLineDash(intent === 'active' ? [] : [5, 3]);
  brush.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  brush.setLineDash([]);
  if (filled !== undefined) {
    const high = Math.min(1, filled) * (height - 2);
    brush.fillStyle = filled > 0.9 ? palette.full : palette.faint;
    brush.fillRect(x + 1, y + height - 1 - high, gaugeWidth, high);
  }
  brush.fillStyle = intent === 'active' ? palette.text : palette.faint;
  const marks: Readonly<Record<string, string>> = { draining: '↦ ', cordoned: '⊘ ', retired: '× ' };
  brush.fillText(fitted(brush, `${marks[intent] ?? ''}${host}`, width), x, y + height + 4);
}

function fitted(brush: Brush, text: string, width: number): string {
  if (brush.measureText(text).width <= width) return text;
  let kept = text;
  // The end of a name tells hosts apart.
  while (kept.length > 1 && brush.measureText(`…${kept}`).width > width) kept = kept.slice(1);
  return `…${kept}`;
}

function paintTile(brush: Brush, { x, y, width, height }: Box, state: TileState, palette: Palette): void {
  const between = Math.min(width, height) >= 4 ? 1 : 0;
  brush.fillStyle = palette.states[state];
  if (state === 'serving' || Math.min(width, height) < leastForShape) {
    brush.fillRect(x, y, width - between, height - between);
    return;
  }
  brush.globalAlpha = 0.25;
  brush.fillRect(x, y, width - between, height - between);
  brush.globalAlpha = 1;
  paintShape(brush, state, x + width / 2, y + height / 2, Math.min(largest, Math.min(width, height) / 2 + 3));
}

/** Its data is still there, and goes when it has arrived. */
function paintLeaving(brush: Brush, { x, y, width, height }: Box, colour: string): void {
  brush.strokeStyle = colour;
  brush.globalAlpha = 0.6;
  brush.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 2), Math.max(1, height - 2));
  brush.globalAlpha = 1;
}

function paintShape(brush: Brush, state: TileState, x: number, y: number, across: number): void {
  const path = shapes.get(state);
  if (path === undefined) return;
  brush.save();
  brush.translate(x - across / 2, y - across / 2);
  brush.scale(across / 16, across / 16);
  brush.fill(path, 'evenodd');
  brush.restore();
}

interface Stop {
  readonly state: Journey['state'];
  readonly from: Box;
  readonly to: Box;
  readonly share: number;
  readonly size: number;
}

/** Where everything that travels is now. */
function stopsOf(
  journeys: readonly Journey[],
  columns: ReadonlyMap<string, Column>,
  at: number | 'halfway',
): Stop[] {
  return journeys.flatMap((journey): Stop[] => {
    const from = columns.get(journey.source);
    const to = columns.get(journey.target);
    if (from === undefined || to === undefined) return [];
    const share = at === 'halfway' ? 0.5 : shareOf(journey, at);
    const tile = from.tiles.get(journey.endpoint) ?? from.frame;
    const size = Math.max(smallest, Math.min(largest, Math.min(tile.width, tile.height) / 2));
    return [{ state: journey.state, from: tile, to: landing(to), share, size }];
  });
}

/** Trails first and in one stroke for each colour, then what draws them. */
function paintStops(brush: Brush, stops: readonly Stop[], palette: Palette): void {
  brush.globalAlpha = 0.3;
  for (const state of travelling) {
    const trails = new Path2D();
    for (const stop of stops) if (stop.state === state) addTrail(trails, stop);
    brush.strokeStyle = palette.states[state];
    brush.stroke(trails);
  }
  brush.globalAlpha = 1;
  for (const { state, from, to, share, size } of stops) {
    const { x, y } = pointOf(from, to, share);
    brush.fillStyle = palette.panel;
    brush.fillRect(x - size / 2 - 1, y - size / 2 - 1, size + 2, size + 2);
    brush.fillStyle = palette.states[state];
    paintShape(brush, state, x, y, size);
  }
}

function addTrail(trails: Path2D, { from, to, share }: Stop): void {
  const begin = Math.max(0, share - trailShare);
  for (let part = 0; part <= trailParts; part += 1) {
    const { x, y } = pointOf(from, to, begin + ((share - begin) * part) / trailParts);
    if (part === 0) trails.moveTo(x, y);
    else trails.lineTo(x, y);
  }
}

/** On top of what is there already. */
function landing({ frame, tiles }: Column): Box {
  let top = frame.y + frame.height;
  for (const { y } of tiles.values()) top = Math.min(top, y);
  return { x: frame.x, y: Math.max(frame.y, top - largest), width: frame.width, height: largest };
}
