import stringWidth from 'string-width';
import type { Finding } from './prove.ts';

/** Enforcement, file, test, caught or not, seconds: a line for each finding. */
export function table(findings: readonly Finding[]): string {
  const rows = [
    ['', 'enforcement', 'file', 'test', 'caught?', 'seconds'],
    ...findings.map(({ removal, verdict, seconds }) => [
      String(removal.invariant),
      removal.name,
      removal.file.replace(/^shared\//, ''),
      `${removal.test.replace(/^tests\//, '')}: ${cut(removal.testName, 60)}`,
      verdict === 'caught' ? 'caught' : verdict.toUpperCase(),
      seconds.toFixed(1),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const pad = (text: string, width: number): string => text + ' '.repeat(width - stringWidth(text));
const cut = (text: string, length: number): string =>
  text.length <= length ? text : `…${text.slice(1 - length)}`;
