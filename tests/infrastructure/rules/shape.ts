import { referencesIn, type PackagedTemplate } from '../template.ts';
import type { Rule } from './rule.ts';

const leads: Rule = {
  name: 'refers to nothing that is not there',
  faults: (template) => {
    const known = new Set(Object.keys(template.Resources));
    return [...Object.entries(template.Resources), ...Object.entries(template.Outputs)].flatMap(
      ([id, value]) =>
        referencesIn(value)
          .filter((other) => !known.has(other))
          .map((other) => `${id} refers to ${other}`),
    );
  },
};

const ends: Rule = {
  name: 'has no circle among its resources',
  faults: circles,
};

function circles(template: PackagedTemplate): string[] {
  const found: string[] = [];
  const closed = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (path.includes(id)) found.push([...path.slice(path.indexOf(id)), id].join(' → '));
    if (path.includes(id) || closed.has(id)) return;
    for (const other of referencesIn(template.Resources[id])) visit(other, [...path, id]);
    closed.add(id);
  };
  for (const id of Object.keys(template.Resources)) visit(id, []);
  return found;
}

export const shapeRules: readonly Rule[] = [leads, ends];
