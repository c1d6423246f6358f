import { ofType } from '../template.ts';
import { anchorsOf, readDocument } from '../../support/markdown.ts';
import type { Rule } from './rule.ts';

const runbook = 'docs/runbook.md';
const anchors = anchorsOf(readDocument(runbook));

const leadsOn: Rule = {
  name: 'says in each alarm which section of the runbook is about it',
  faults: (template) =>
    ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, { Properties }]) => {
      const said = /docs\/runbook\.md#(?<anchor>[a-z0-9-]+)$/.exec(String(Properties['AlarmDescription']));
      const anchor = said?.groups?.['anchor'];
      if (anchor === undefined) return [`${id} wakes people and names no section of the runbook`];
      return anchors.includes(anchor) ? [] : [`${id} names ${runbook}#${anchor}, which is not there`];
    }),
};

export const runbookRules: readonly Rule[] = [leadsOn];
