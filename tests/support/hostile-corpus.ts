import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { hostileFamilies } from './hostile-families.ts';
import type { Topic } from './hostile-world.ts';

/** An event that must be refused, and with which words. */
export interface HostileEvent {
  readonly what: string;
  readonly topic: Topic;
  readonly text: string;
  readonly code: string;
  /** Absent when there is no field to name. */
  readonly field?: string;
}

const folder = new URL('../fixtures/hostile/', import.meta.url);

const written = z.array(
  z.strictObject({
    what: z.string(),
    topic: z.enum(['requests', 'host-changes']),
    /** As it lies in the queue, … */
    text: z.string().optional(),
    /** … or what it has beside, or instead of, the attributes that every event has, … */
    event: z.record(z.string(), z.unknown()).optional(),
    /** … and which of those it lacks. */
    without: z.array(z.string()).default([]),
    code: z.string(),
    field: z.string().optional(),
  }),
);

/** The events of the files, and of the families, each with an id of its own. */
export function hostileCorpus(): readonly HostileEvent[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const fromFiles = files.flatMap((name) =>
    written
      .parse(JSON.parse(readFileSync(fileURLToPath(new URL(name, folder)), 'utf8')))
      .map((entry, nth) => {
        const { what, topic, code, field } = entry;
        const text = entry.text ?? textOf(`${name}-${String(nth)}`, topic, entry.event ?? {}, entry.without);
        return { what, topic, text, code, ...(field === undefined ? {} : { field }) };
      }),
  );
  return [
    ...fromFiles,
    ...hostileFamilies().map(({ event, ...entry }, nth) => ({
      ...entry,
      text: textOf(`family-${String(nth)}`, entry.topic, event, []),
    })),
  ];
}

function textOf(
  id: string,
  topic: Topic,
  event: Readonly<Record<string, unknown>>,
  without: readonly string[],
): string {
  const type = topic === 'requests' ? 'batch-move.requested' : 'host.cordoned';
  const data =
    topic === 'requests' ? { reason: 'test', endpoints: ['shop'] } : { host: 'h1', reason: 'test' };
  const whole = { specversion: '1.0', id, source: '/hostile', type, data, ...event };
  return JSON.stringify(
    Object.fromEntries(Object.entries(whole).filter(([name]) => !without.includes(name))),
  );
}
