import * as z from 'zod';
import type { PackagedTemplate } from './template.ts';

/** The template without what is another thing each time, and without what stands in files of its own. */
export function masked(template: PackagedTemplate): unknown {
  return z.json().parse(
    JSON.parse(
      JSON.stringify(template, (key, value: unknown) => {
        // Bundles lie under the time at which they were made.
        if (key === 'S3Key') return '(when it was packaged)';
        if (key === 'DashboardBody') return '(resources/dashboard.cjs)';
        // The document of the API is in resources/api.
        if (key === 'Body') return '(resources/api)';
        return value;
      }).replace(/ApiDeployment[0-9a-f]{12}/g, 'ApiDeployment(resources/api)'),
    ),
  );
}

/** Each value behind its path: a change shows as the line that it is about. */
export function linesOf(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [`${path.join('.')} = ${JSON.stringify(value)}`];
  const entries = Object.entries(value);
  if (entries.length === 0) return [`${path.join('.')} = ${JSON.stringify(value)}`];
  return entries
    .sort(([one], [other]) => (Array.isArray(value) ? 0 : one.localeCompare(other, 'en')))
    .flatMap(([key, item]) => linesOf(item, [...path, key]));
}

/** Lines of either that the other does not have; where they only name their stage, they are the same. */
export function differences(one: unknown, other: unknown): string[] {
  const stageless = (value: unknown): Set<string> =>
    new Set(linesOf(value).map((line) => line.replace(/\b(?:dev|staging|prod)\b/g, '(stage)')));
  const left = stageless(one);
  const right = stageless(other);
  return [
    ...[...left].filter((line) => !right.has(line)).map((line) => `this  ${line}`),
    ...[...right].filter((line) => !left.has(line)).map((line) => `prod  ${line}`),
  ].sort((a, b) => a.slice(6).localeCompare(b.slice(6), 'en'));
}
