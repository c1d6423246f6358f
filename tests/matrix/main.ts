/**
 * The crash matrix: for every step of a move and for its way back, the function's process is killed, or stopped
 * past its lease and continued, before, during and after the effect, and before and after the commit:
 *
 *     npm run matrix -- [--cells 'freeze|cutover/.*kill'] [--json]
 *
 * A line for each cell, and the outcome as JSON in the last one; with `--json` nothing else on standard output.
 * The status is 0 only if every cell was struck and is sound.
 */
import { parseArgs } from 'node:util';
import { allCells, nameOf } from './cells.ts';
import { isSound, lineOf, summaryOf, type Finding } from './finding.ts';
import { Matrix } from './matrix.ts';

const { values: options } = parseArgs({
  options: { cells: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
});
const pattern = new RegExp(options.cells);
const cells = allCells.filter((cell) => pattern.test(nameOf(cell)));
const width = Math.max(...cells.map((cell) => nameOf(cell).length));
const say = (line: string): void => {
  (options.json ? process.stderr : process.stdout).write(`${line}\n`);
};

const began = Date.now();
const findings: Finding[] = [];
const matrix = new Matrix();
try {
  for (const cell of cells) {
    const finding = await matrix.play(cell);
    findings.push(finding);
    say(lineOf(finding, width));
  }
} finally {
  await matrix.end();
}
process.stdout.write(`${JSON.stringify(summaryOf(findings, (Date.now() - began) / 1_000))}\n`);
process.exitCode = findings.length > 0 && findings.every(isSound) ? 0 : 1;
