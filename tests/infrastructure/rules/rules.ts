import { dataRules } from './data.ts';
import { rightsRules } from './rights.ts';
import type { Rule } from './rule.ts';
import { runbookRules } from './runbook.ts';
import { shapeRules } from './shape.ts';
import { workRules } from './work.ts';

export const rules: readonly Rule[] = [
  ...dataRules,
  ...workRules,
  ...rightsRules,
  ...shapeRules,
  ...runbookRules,
];
