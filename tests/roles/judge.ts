import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { NotedCall } from '../../local/servers/call-log.ts';
import { ACCOUNT_ID } from '../../local/template/stack.ts';
import type { Exception } from './exceptions.ts';
import type { Grant, StageRole } from './stage-roles.ts';

/** How roles stand to what was done under them, each as a line for people. */
export interface Verdict {
  /** Calls that were made and that AWS would refuse. */
  readonly denied: readonly string[];
  /** Statements of which nobody has made use, exceptions aside. */
  readonly unused: readonly string[];
  /**
   * Single actions on single resources that were not asked for, in statements that are used otherwise: some are only
   * when something is lost.
   */
  readonly rare: readonly string[];
  /** Exceptions for statements that no role has. */
  readonly stale: readonly string[];
  /** Different calls that were looked at. */
  readonly calls: number;
  readonly statements: number;
}

/** Holds what was called against what roles allow, by AWS's rules. */
export async function judge(
  roles: readonly StageRole[],
  calls: readonly NotedCall[],
  exceptions: readonly Exception[],
): Promise<Verdict> {
  const denied: string[] = [];
  const unused: string[] = [];
  const rare: string[] = [];
  let looked = 0;
  for (const role of roles) {
    const used = new Set<Grant>();
    const made = [...calls.filter(({ caller }) => caller === role.caller), ...role.platformCalls];
    for (const call of unlike(made)) {
      looked += 1;
      const refusal = await refusalOf(role, role.grants, call);
      if (refusal !== undefined) denied.push(`${role.name} does not allow ${words(call)} (${refusal})`);
      for (const grant of role.grants) {
        if (used.has(grant) || grant.action !== call.action) continue;
        if ((await refusalOf(role, [grant], call)) === undefined) used.add(grant);
      }
    }
    for (const [sid, grants] of Map.groupBy(role.grants, (grant) => grant.sid)) {
      const idle = grants.filter((grant) => !used.has(grant)).map(words);
      if (idle.length < grants.length) rare.push(...idle.map((what) => `${role.name}, ${sid}: ${what}`));
      else if (!exceptions.some((exception) => isAbout(exception, role, sid)))
        unused.push(`${role.name}, ${sid}: nobody has asked for ${idle.join('; ')}`);
    }
  }
  return {
    denied,
    unused,
    rare,
    stale: exceptions
      .filter(
        (exception) => !roles.some((role) => role.grants.some(({ sid }) => isAbout(exception, role, sid))),
      )
      .map(({ role, statement }) => `${role} has no statement ${statement}: it needs no exception`),
    calls: looked,
    statements: roles.reduce((sum, { grants }) => sum + new Set(grants.map(({ sid }) => sid)).size, 0),
  };
}

/** Why a policy of these grants refuses a call; undefined when it allows it. */
async function refusalOf(
  role: StageRole,
  grants: readonly Grant[],
  { action, resource, leadingKeys = [] }: NotedCall,
): Promise<string | undefined> {
  const Statement = grants.map((grant) => ({
    Effect: 'Allow',
    Action: grant.action,
    Resource: grant.resource,
    ...(grant.condition === undefined ? {} : { Condition: grant.condition }),
  }));
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT_ID}:role/${role.name}`,
        action,
        resource: { resource, accountId: ACCOUNT_ID },
        contextVariables: leadingKeys.length === 0 ? {} : { 'dynamodb:LeadingKeys': [...leadingKeys] },
      },
      identityPolicies: [{ name: role.name, policy: { Version: '2012-10-17', Statement } }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === 'error') return JSON.stringify(answer.errors);
  return answer.overallResult === 'Allowed' ? undefined : answer.overallResult;
}

function unlike(calls: readonly NotedCall[]): NotedCall[] {
  return [...new Map(calls.map((call) => [JSON.stringify(call), call])).values()];
}

const isAbout = (exception: Exception, role: StageRole, sid: string): boolean =>
  exception.role === role.name && exception.statement === sid;

const words = ({
  action,
  resource,
  leadingKeys = [],
}: Pick<NotedCall, 'action' | 'resource' | 'leadingKeys'>): string =>
  [`${action} on ${resource}`, ...leadingKeys.map((key) => `key ${key}`)].join(', ');
