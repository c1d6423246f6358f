/** Where hosts and their endpoints stand in the picture. Pure: what is where is the same for the same fleet and size. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlannedHost {
  readonly host: string;
  readonly capacityBytes?: number;
  readonly endpoints: readonly { readonly endpoint: string; readonly bytes: number }[];
}

export interface Column {
  readonly host: string;
  /** The whole host, full. */
  readonly frame: Box;
  /** Share of it that is taken, from 0; over 1: it holds more than it should. Undefined: nobody said how much it holds. */
  readonly filled?: number;
  /** Endpoints, each as large as it is, from the bottom up. */
  readonly tiles: ReadonlyMap<string, Box>;
}

export interface Picture {
  readonly columns: readonly Column[];
  readonly width: number;
  readonly height: number;
}

/** In pixels. */
const gap = 12;
const labelHeight = 18;
const margin = 6;
/** Above the first row there is room for what travels. */
const sky = 34;
const narrowest = 44;
const widest = 260;
const lowest = 120;
const highest = 460;
/** The gauge beside the tiles. */
export const gaugeWidth = 4;
/** No row of tiles is lower, as long as there is room: who is small must be seen too. */
const leastRow = 5;

/**
 * @param room how high it may be before the page scrolls, in pixels
 */
export function pictureOf(hosts: readonly PlannedHost[], width: number, room: number): Picture {
  const inner = Math.max(narrowest, width - 2 * margin);
  const perRow = Math.max(1, Math.min(hosts.length, Math.floor((inner + gap) / (narrowest + gap))));
  // As many in each row: the last one is not left with a few.
  const rows = Math.max(1, Math.ceil(hosts.length / perRow));
  const even = Math.max(1, Math.ceil(hosts.length / rows));
  const columnWidth = Math.min(widest, Math.floor((inner - (even - 1) * gap) / even));
  const columnHeight = Math.round(clamp((room - sky) / rows - labelHeight - gap, lowest, highest));
  const largest = Math.max(1, ...hosts.map(({ endpoints }) => sum(endpoints)));
  const columns = hosts.map((host, at): Column => {
    const frame = {
      x: margin + (at % even) * (columnWidth + gap),
      y: sky + Math.floor(at / even) * (columnHeight + labelHeight + gap),
      width: columnWidth,
      height: columnHeight,
    };
    // Where nobody has said how much hosts hold, they are compared with the fullest.
    const full = host.capacityBytes ?? largest * 1.25;
    return {
      host: host.host,
      frame,
      ...(host.capacityBytes === undefined
        ? {}
        : { filled: sum(host.endpoints) / Math.max(1, host.capacityBytes) }),
      tiles: tilesOf(host.endpoints, frame, full),
    };
  });
  return { columns, width, height: sky + margin + rows * (columnHeight + labelHeight + gap) - gap };
}

/** Rows of tiles, the largest endpoints at the bottom: each tile's area is its share of what the host holds. */
function tilesOf(endpoints: PlannedHost['endpoints'], frame: Box, full: number): ReadonlyMap<string, Box> {
  const tiles = new Map<string, Box>();
  if (endpoints.length === 0) return tiles;
  const sorted = endpoints.toSorted(
    (one, other) => other.bytes - one.bytes || (one.endpoint < other.endpoint ? -1 : 1),
  );
  const left = frame.x + gaugeWidth + 3;
  const width = frame.width - gaugeWidth - 4;
  const area = (width * frame.height * Math.min(1, sum(sorted) / full)) / sorted.length;
  const perRow = Math.max(1, Math.round(width / Math.max(leastRow, Math.sqrt(area))));
  const rows: { readonly of: typeof sorted; readonly height: number }[] = [];
  for (let at = 0; at < sorted.length; at += perRow) {
    const of = sorted.slice(at, at + perRow);
    rows.push({ of, height: Math.max(leastRow, (sum(of) / full) * frame.height) });
  }
  const needed = rows.reduce((total, { height }) => total + height, 0);
  const scale = Math.min(1, (frame.height - 2) / needed);
  let bottom = frame.y + frame.height - 1;
  for (const { of, height } of rows) {
    const high = height * scale;
    const bytes = sum(of);
    // The last row has fewer: they are no wider than their neighbours.
    const share = Math.max(of.length / perRow, 1 / perRow);
    let x = left;
    for (const { endpoint, bytes: own } of of) {
      const wide = width * share * (bytes === 0 ? 1 / of.length : own / bytes);
      tiles.set(endpoint, { x, y: bottom - high, width: wide, height: high });
      x += wide;
    }
    bottom -= high;
  }
  return tiles;
}

const sum = (endpoints: PlannedHost['endpoints']): number =>
  endpoints.reduce((total, { bytes }) => total + bytes, 0);
const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** What is at a point. */
export function whatIsAt(
  { columns }: Picture,
  x: number,
  y: number,
): { readonly column: Column; readonly endpoint?: string } | undefined {
  const column = columns.find(
    ({ frame }) =>
      x >= frame.x && x < frame.x + frame.width && y >= frame.y && y < frame.y + frame.height + labelHeight,
  );
  if (column === undefined) return undefined;
  for (const [endpoint, box] of column.tiles) {
    if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height)
      return { column, endpoint };
  }
  return { column };
}
