import xterm, { type IBufferCell } from '@xterm/headless';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Of a cell, in pixels. */
const cell = { width: 8.4, height: 19 } as const;
const margin = 14;
const bar = 30;
const colours = { back: '#0f172a', bar: '#1e293b', text: '#e2e8f0', title: '#94a3b8' } as const;
/** The colours that dray uses, by their numbers in a terminal. */
const palette: Readonly<Record<number, string>> = { 1: '#f87171', 2: '#4ade80', 3: '#facc15' };

/** Text of one look. */
interface Run {
  readonly column: number;
  readonly text: string;
  readonly style: string;
}

/**
 * What a terminal shows that was sent these bytes, as an SVG.
 * @param command stands above it, as it was typed
 */
export async function pictureOfTerminal(bytes: string, size: TerminalSize, command: string): Promise<string> {
  const lines = (await screenOf(bytes, size)).map(runsOf);
  const last = lines.findLastIndex((runs) => runs.length > 0) + 1;
  const width = Math.ceil(2 * margin + size.columns * cell.width);
  const height = Math.ceil(bar + 2 * margin + last * cell.height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" viewBox="0 0 ${String(width)} ${String(height)}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`,
    `<title>${escaped(command)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${colours.back}"/>`,
    `<path d="M0 ${String(bar)}V8a8 8 0 0 1 8-8H${String(width - 8)}a8 8 0 0 1 8 8V${String(bar)}z" fill="${colours.bar}"/>`,
    `<text x="${String(margin)}" y="20" fill="${colours.title}">$ ${escaped(command)}</text>`,
    ...lines.slice(0, last).flatMap((runs, row) => runs.map((run) => textOf(run, row))),
    '</svg>',
    '',
  ].join('\n');
}

/** The cells of the lines on the screen. */
async function screenOf(bytes: string, { columns, rows }: TerminalSize): Promise<IBufferCell[][]> {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  try {
    await new Promise<void>((resolve) => {
      terminal.write(bytes, resolve);
    });
    const { active } = terminal.buffer;
    return Array.from({ length: rows }, (_, row) => {
      const line = active.getLine(active.viewportY + row);
      return Array.from({ length: columns }, (__, column) => line?.getCell(column) ?? []).flat();
    });
  } finally {
    terminal.dispose();
  }
}

/** Cells that look alike stand together; spaces between two looks belong to neither. */
function runsOf(cells: readonly IBufferCell[]): Run[] {
  const runs: Run[] = [];
  for (const [column, each] of cells.entries()) {
    const text = each.getChars();
    const before = runs.at(-1);
    if (text === '' || text === ' ') continue;
    const style = styleOf(each);
    if (before?.style === style && before.column + before.text.length === column)
      runs.splice(-1, 1, { ...before, text: before.text + text });
    else if (before?.style === style && before.column + before.text.length === column - 1)
      runs.splice(-1, 1, { ...before, text: `${before.text} ${text}` });
    else runs.push({ column, text, style });
  }
  return runs;
}

function styleOf(each: IBufferCell): string {
  const fill = each.isFgPalette() ? (palette[each.getFgColor() % 8] ?? colours.text) : colours.text;
  return [
    `fill="${fill}"`,
    ...(each.isBold() === 0 ? [] : ['font-weight="bold"']),
    ...(each.isDim() === 0 ? [] : ['opacity="0.65"']),
  ].join(' ');
}

/** As wide as its cells, whatever the reader's font is. */
function textOf({ column, text, style }: Run, row: number): string {
  const x = margin + column * cell.width;
  const y = bar + margin + row * cell.height + 14;
  const length = text.length * cell.width;
  return `<text x="${x.toFixed(1)}" y="${String(y)}" textLength="${length.toFixed(1)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" ${style}>${escaped(text)}</text>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
