import type { Command } from 'commander';
import {
  knobDefaults,
  knobMeanings,
  knobNames,
  type Fleet,
  type KnobName,
  type Knobs,
} from '../../shared/domain/fleet.ts';
import { readFleet } from '../../shared/workflow/fleet-record.ts';
import { usageError } from '../cli-error.ts';
import { jsonOption, requestIdOption } from '../options.ts';
import { readDuration, showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { columns, styled, type Text } from '../text.ts';
import { requestBatch, type PublishedOptions } from './publishing.ts';

interface KnobOptions extends PublishedOptions {
  readonly reason?: string;
}

export function addKnob(program: Command, session: Session): void {
  program
    .command('knob')
    .summary('settings that count at once: how many moves, how fast, how long a pause')
    .description('Shows the knobs of the installation, or turns one; it counts for everything from then on.')
    .argument('[name]', 'the knob')
    .argument('[value]', 'what it is to be: a number, a duration, on, off, or default')
    .option('--reason <text>', 'why it is turned, for whoever looks at it later')
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
Examples:
  dray knob                                                    all of them
  dray knob movesInAll 50 --reason "backups run until six"
  dray knob pauseBudgetMs 500ms --reason "sale of the year"
  dray knob movesInAll default --reason "backups are done"
`,
    )
    .action(async (name: string | undefined, value: string | undefined, options: KnobOptions) => {
      const knob = name === undefined ? undefined : asKnob(name);
      if (knob === undefined || value === undefined) await show(session, knob, options);
      else session.exitCode = await set(session, knob, value, options);
    });
}

function asKnob(name: string): KnobName {
  const knob = knobNames.find((each) => each === name);
  if (knob !== undefined) return knob;
  const known = `the knobs are ${knobNames.join(', ')}`;
  throw usageError('knob-unknown', `There is no knob "${name}"`, didYouMean(name, knobNames, known));
}

async function set(
  session: Session,
  knob: KnobName,
  value: string,
  { reason, ...options }: KnobOptions,
): Promise<number> {
  if (reason === undefined) {
    throw usageError(
      'reason-missing',
      `${knob} is turned for everybody: say why`,
      `dray knob ${knob} ${value} --reason …`,
    );
  }
  return requestBatch(session, 'knob.set', { knob, value: asSetting(knob, value), reason }, options);
}

/** As the event has it. What it may be is the contract's to say. */
function asSetting(knob: KnobName, value: string): string | number | null {
  if (value === 'default') return null;
  if (isDuration(knob)) return readDuration(value) ?? (/^\d+$/.test(value) ? Number(value) : value);
  return /^\d+$/.test(value) ? Number(value) : value;
}

const isDuration = (knob: KnobName): boolean => knob.endsWith('Ms');

async function show(
  session: Session,
  one: KnobName | undefined,
  { json = false }: KnobOptions,
): Promise<void> {
  const { terminal } = session;
  const fleet = await readFleet(await session.client());
  const shown = one === undefined ? knobNames : [one];
  if (json) {
    terminal.json({ knobs: shown.map((knob) => reportOf(fleet, knob)) });
    return;
  }
  const rows = shown.map((knob): Text[] => {
    const by = fleet.turned[knob];
    const value = inWords(fleet.knobs, knob);
    return [
      knob,
      value === inWords(knobDefaults, knob) ? value : styled('attention', value),
      knobMeanings[knob],
      by === undefined ? '' : styled('faint', `${by.by}, ${new Date(by.at).toISOString()}: ${by.reason}`),
    ];
  });
  for (const line of columns(rows)) terminal.line(line);
}

function inWords(knobs: Knobs, knob: KnobName): string {
  const { [knob]: value } = knobs;
  if (value === undefined) return 'none';
  return typeof value === 'number' && isDuration(knob) ? showDuration(value) : String(value);
}

function reportOf({ knobs, turned }: Fleet, knob: KnobName) {
  const byDefault: Knobs = knobDefaults;
  const { [knob]: value = null } = knobs;
  const { [knob]: standard = null } = byDefault;
  return { knob, value, default: standard, does: knobMeanings[knob], turned: turned[knob] ?? null };
}
