import { InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import type { Json } from '../shared/domain/json.ts';
import { readBytes, readDuration } from './quantity.ts';

/** Options that several verbs have, each with its meaning and its check. */

export const jsonOption = (): Option => new Option('--json', 'print the result as one line of JSON');
export const waitOption = (): Option =>
  new Option('--wait', 'wait until the batch is completed; exit code 0 only when every endpoint has moved');
export const requestIdOption = (): Option =>
  new Option(
    '--request-id <id>',
    'the id of this request: one that is given twice is carried out once',
  ).argParser(requestId);

/** How a batch moves its endpoints. */
export const policyOptions = (): Option[] => [
  new Option('--retention <duration>', 'keep the fenced copy on the source so long, e.g. 24h').argParser(
    duration,
  ),
  new Option(
    '--offline <choice>',
    'may an endpoint be closed while it is copied, if its host cannot replicate?',
  ).choices(['allow', 'refuse']),
  new Option('--roles <choice>', 'roles that are missing on the target').choices(['copy', 'require']),
  new Option(
    '--pause-budget <duration>',
    'put a cutover off that would pause writers longer, e.g. 2s',
  ).argParser(duration),
  new Option('--approval <choice>', 'may nothing begin before somebody else approves of it?').choices([
    'required',
    'none',
  ]),
  new Option('--hold-before-cutover', 'each move waits before its cutover until it is released'),
  new Option(
    '--window <cron>',
    'begin and cut over only in a maintenance window that opens then, e.g. "0 2 * * *"',
  ),
  new Option('--window-length <duration>', 'how long the window is open, e.g. 2h').argParser(duration),
  new Option('--time-zone <name>', 'by whose clock the window opens, e.g. Europe/Berlin; else UTC'),
  new Option('--start <when>', 'begin when it is started by hand (manual), or at a time').argParser(when),
];

export interface PolicyOptions {
  readonly retention?: number;
  readonly offline?: 'allow' | 'refuse';
  readonly roles?: 'copy' | 'require';
  readonly pauseBudget?: number;
  readonly approval?: 'required' | 'none';
  readonly holdBeforeCutover?: boolean;
  readonly start?: Readonly<Record<string, string>>;
  readonly window?: string;
  readonly windowLength?: number;
  readonly timeZone?: string;
}

/** `data.policy` of an event: what is not said is left to the defaults. */
export function policyOf(options: PolicyOptions): {
  readonly policy?: Json;
} {
  const { retention, offline, roles, pauseBudget, approval, holdBeforeCutover, start } = options;
  const policy = {
    ...start,
    ...windowOf(options),
    ...(approval === undefined ? {} : { approval }),
    ...(holdBeforeCutover === undefined ? {} : { holdBeforeCutover }),
    ...(retention === undefined ? {} : { retention }),
    ...(offline === undefined ? {} : { offline }),
    ...(roles === undefined ? {} : { roles }),
    ...(pauseBudget === undefined ? {} : { pauseBudget }),
  };
  return Object.keys(policy).length === 0 ? {} : { policy };
}

/** Its length and clock are the contract's to miss. */
function windowOf({ window, windowLength, timeZone }: PolicyOptions): { readonly window?: Json } {
  if (window === undefined && windowLength === undefined && timeZone === undefined) return {};
  return {
    window: {
      ...(window === undefined ? {} : { cron: window }),
      ...(windowLength === undefined ? {} : { duration: windowLength }),
      ...(timeZone === undefined ? {} : { timeZone }),
    },
  };
}

/** The part of a policy that says when a batch begins. */
function when(text: string): Readonly<Record<string, string>> {
  if (text === 'manual') return { start: 'manual' };
  if (Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError('Write manual, or a time such as 2026-01-31T12:00:00Z.');
  }
  return { startAt: new Date(text).toISOString() };
}

function duration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a duration: 24h, 90s, 250ms, 7d, or 0.');
  return ms;
}

/** How far back something is listed. */
export const spanOption = (): Option =>
  new Option('--since <duration>', 'how far back, e.g. 24h or 7d').argParser(span).default(86_400_000, '24h');

const longestSpan = 90 * 86_400_000;

function span(text: string): number {
  const ms = duration(text);
  if (ms > 0 && ms <= longestSpan) return ms;
  throw new InvalidArgumentError('Write a duration of up to 90 days: 24h, 7d.');
}

export function bytes(text: string): number {
  const size = readBytes(text);
  if (size === undefined)
    throw new InvalidArgumentError('Write a size: 100GB, 1.5TiB, or a number of bytes.');
  return size;
}

export function port(text: string): number {
  const figure = Number(text);
  if (/^\d{1,5}$/.test(text) && figure <= 65_534) return figure;
  throw new InvalidArgumentError('Write a port from 0 (any) to 65534; SNS, SQS and S3 take the next one.');
}

export function figure(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a whole number from 1.');
}

function requestId(text: string): string {
  if (/^\S{1,256}$/u.test(text)) return text;
  throw new InvalidArgumentError('Write 1 to 256 characters without spaces.');
}

/** `key=value` once more; a value that is JSON is taken as JSON. */
export function jsonPair(
  text: string,
  before: Readonly<Record<string, Json>> = {},
): Readonly<Record<string, Json>> {
  const [key, value] = split(text);
  return { ...before, [key]: asJson(value) };
}

/** `key=value` once more. */
export function textPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [key, value] = split(text);
  return { ...before, [key]: value };
}

function split(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write key=value.');
  return [text.slice(0, at), text.slice(at + 1)];
}

function asJson(text: string): Json {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return text;
  }
}
