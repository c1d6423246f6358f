import * as z from 'zod';
import { subjectsOf, type Command, type Subject, type SubjectKind, type Verb } from '../../domain/command.ts';
import { batchIdField, endpointNameField, hostNameField, lineField, moveIdField } from '../fields.ts';
import { reportTo } from './selection.ts';

const verbs = [
  'start',
  'approve',
  'pause',
  'resume',
  'cancel',
  'hold',
  'release',
  'retry',
  'reverse',
  'withdraw',
] as const satisfies readonly Verb[];

type Named = Exclude<Subject, { readonly kind: 'part' }>;

/** The fields that name a subject; exactly one of them is given. */
const subjects = {
  batch: batchIdField.transform((batch): Named => ({ kind: 'batch', batch })),
  move: moveIdField.transform((move): Named => ({ kind: 'move', move })),
  host: hostNameField.transform((host): Named => ({ kind: 'host', host })),
  endpoint: endpointNameField.transform((endpoint): Named => ({ kind: 'endpoint', endpoint })),
  all: z.literal(true, { error: 'true, or left out' }).transform((): Named => ({ kind: 'all' })),
} as const satisfies Record<SubjectKind, z.ZodType<Named>>;

/** `data` of `command.requested`: one verb, why, and what it is about. */
export const commandRequested = z
  .strictObject({
    verb: z.enum(verbs),
    reason: lineField(500),
    batch: subjects.batch.optional(),
    move: subjects.move.optional(),
    host: subjects.host.optional(),
    endpoint: subjects.endpoint.optional(),
    all: subjects.all.optional(),
  })
  .transform(({ verb, reason, ...named }, context): Omit<Command, 'at'> => {
    const report = reportTo(context);
    if (verb === 'withdraw' && named.batch?.kind === 'batch' && named.endpoint?.kind === 'endpoint') {
      const { batch, endpoint, ...others } = named;
      if (Object.values(others).every((other) => other === undefined))
        return { verb, subject: { kind: 'part', batch: batch.batch, endpoint: endpoint.endpoint }, reason };
    }
    const given = Object.values(named).filter((subject) => subject !== undefined);
    const [subject] = given;
    if (subject === undefined || given.length > 1) {
      report({
        code: subject === undefined ? 'subject-missing' : 'subject-ambiguous',
        field: 'verb',
        sentence:
          subject === undefined
            ? 'The command is about nothing.'
            : 'The command is about more than one thing.',
        cure: `Give exactly one of ${choicesOf(verb).join(', ')}.`,
      });
      return z.NEVER;
    }
    const fitting: readonly SubjectKind[] = subjectsOf[verb];
    if (!fitting.includes(subject.kind)) {
      report({
        code: 'subject-unfit',
        field: subject.kind,
        sentence: `${verb} is not done to ${subject.kind === 'all' ? 'everything at once' : `one ${subject.kind}`}.`,
        cure: `Give ${choicesOf(verb).join(' or ')} instead.`,
      });
      return z.NEVER;
    }
    return { verb, subject, reason };
  });

const choicesOf = (verb: Verb): readonly string[] =>
  verb === 'withdraw' ? ['move', 'batch with endpoint'] : subjectsOf[verb];
