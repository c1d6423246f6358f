import * as z from 'zod';
import { policy } from '../policies.ts';
import { propertiesOf, reference, texts, type PackagedTemplate } from '../template.ts';
import type { Rule } from './rule.ts';

const roleProperties = z.object({
  AssumeRolePolicyDocument: z.object({
    Statement: z.array(z.object({ Principal: z.unknown(), Action: texts })),
  }),
  ManagedPolicyArns: z.array(z.unknown()).default([]),
  Policies: z.array(z.object({ PolicyDocument: policy })).default([]),
});

/** Actions for which AWS knows no resources: all are Lambda's own, for a stream and for functions inside a network. */
const onEverything: ReadonlySet<string> = new Set([
  'dynamodb:ListStreams',
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]);

const roles = (template: PackagedTemplate) => propertiesOf(template, 'AWS::IAM::Role', roleProperties);

const allowsLittle: Rule = {
  name: 'allows no role everything of anything',
  faults: (template) =>
    [...roles(template)].flatMap(([id, { ManagedPolicyArns, Policies }]) => [
      ...(ManagedPolicyArns.length > 0 ? [`${id} has policies that others write`] : []),
      ...Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(({ Action, Resource }) => [
          ...Action.filter((action) => action.includes('*')).map((action) => `${id} allows ${action}`),
          ...(Resource.includes('*') && !Action.every((action) => onEverything.has(action))
            ? [`${id} allows ${Action.join(', ')} on everything`]
            : []),
        ]),
    ]),
};

const namesStatements: Rule = {
  name: 'names each statement of a policy differently',
  faults: (template) =>
    [...roles(template)].flatMap(([id, { Policies }]) =>
      Policies.flatMap(({ PolicyDocument }) => {
        const sids = PolicyDocument.Statement.map(({ Sid }) => Sid);
        // IAM takes no policy in which two are alike.
        return new Set(sids).size === sids.length && !sids.includes(undefined)
          ? []
          : [`${id} has statements without a name of their own: ${sids.join(', ')}`];
      }),
    ),
};

const separates: Rule = {
  name: 'gives each function a role of its own',
  faults: (template) => {
    const users = propertiesOf(template, 'AWS::Lambda::Function', z.object({ Role: reference }));
    return [...users].flatMap(([id, { Role }]) => [
      ...([...users].some(([other, { Role: role }]) => other !== id && role === Role)
        ? [`${id} shares ${Role}`]
        : []),
      ...(roles(template).has(Role) ? [] : [`${id} has a role that others make`]),
    ]);
  },
};

const trusts: Rule = {
  name: 'trusts services alone with its roles',
  faults: (template) =>
    [...roles(template)]
      .filter(([, { AssumeRolePolicyDocument }]) =>
        AssumeRolePolicyDocument.Statement.some(
          ({ Principal, Action }) =>
            !z
              .strictObject({ Service: z.enum(['lambda.amazonaws.com', 'apigateway.amazonaws.com']) })
              .safeParse(Principal).success || Action.join() !== 'sts:AssumeRole',
        ),
      )
      .map(([id]) => `${id} can be taken by others`),
};

export const rightsRules: readonly Rule[] = [allowsLittle, namesStatements, separates, trusts];
