import * as z from 'zod';
import { propertiesOf, some, texts, type PackagedTemplate } from './template.ts';

/** A policy as a template has it. */
export const policy = z.object({
  Statement: z.array(
    z.object({
      Sid: z.string().optional(),
      Effect: z.enum(['Allow', 'Deny']),
      Action: texts,
      Resource: some,
      Principal: z.unknown().optional(),
      Condition: z.unknown().optional(),
    }),
  ),
});

/** What each role may do. */
export const rolePoliciesOf = (template: PackagedTemplate) =>
  propertiesOf(
    template,
    'AWS::IAM::Role',
    z.object({ Policies: z.array(z.object({ PolicyDocument: policy })).default([]) }),
  );
