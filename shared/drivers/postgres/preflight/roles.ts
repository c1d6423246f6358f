import type { Session } from '../connection.ts';
import { compareRoles, isPowerful, readsVerifiers } from '../roles.ts';
import type { NeededRoles } from '../roles.ts';
import type { Findings } from './report.ts';
import { some } from './report.ts';
import type { Server } from './server.ts';

/**
 * `require`: what the database names must be on the target. `copy`: what is missing is made there, with its
 * password, if we may read and make it. A role that is there is never touched.
 */
export async function checkRoles(
  policy: 'require' | 'copy',
  needed: NeededRoles,
  source: { readonly session: Session; readonly server: Server },
  target: { readonly session: Session; readonly server: Server },
  findings: Findings,
): Promise<void> {
  const { missing, weaker, missingMemberships } = await compareRoles(needed, target.session);
  const where = target.server.name;
  if (policy === 'copy' && missing.length > 0) {
    await checkCopy(
      missing.filter(isPowerful).map(({ name }) => name),
      source,
      target,
      findings,
    );
  }
  for (const one of missing) {
    if (policy === 'copy') {
      if (isPowerful(one)) continue;
      findings.action(
        'role-copied',
        `The role "${one.name}" is made on ${where}, with its password.`,
        'Nothing to do.',
        one.name,
      );
      continue;
    }
    const indirect = one.uses.every((use) => use === 'member' || use === 'group');
    const sentence = `The role "${one.name}" (${one.uses.join(', ')}) does not exist on ${where}.`;
    const cure = `CREATE ROLE "${one.name}" on the target, or move with the policy roles "copy".`;
    // Nothing in the schema names it: the copy succeeds, but somebody may not be able to log in.
    if (indirect) findings.warning('member-role-missing', sentence, cure, one.name);
    else findings.blocker('role-missing', sentence, cure, one.name);
  }
  for (const { name, lacks } of weaker) {
    findings.warning(
      'role-weaker',
      `The role "${name}" lacks ${lacks.join(', ')} on ${where}, which it has on the source.`,
      `ALTER ROLE "${name}" ${lacks.join(' ')}; on the target, if it is meant to be the same.`,
      name,
    );
  }
  for (const { group, member } of missingMemberships) {
    findings.warning(
      'membership-missing',
      `"${member}" is a member of "${group}" on the source and not on ${where}.`,
      `GRANT "${group}" TO "${member}"; on the target.`,
      member,
    );
  }
}

async function checkCopy(
  powerful: readonly string[],
  source: { readonly session: Session; readonly server: Server },
  target: { readonly session: Session; readonly server: Server },
  findings: Findings,
): Promise<void> {
  if (!(await readsVerifiers(source.session))) {
    findings.blocker(
      'roles-unreadable',
      `"${source.server.user}" may not read the passwords of roles on ${source.server.name}, so roles cannot be copied.`,
      'Use a superuser for the source, or make the roles on the target and move with the policy roles "require".',
    );
  }
  if (!target.server.superuser) {
    findings.blocker(
      'roles-unwritable',
      `"${target.server.user}" is no superuser of ${target.server.name}, so roles cannot be copied with their passwords.`,
      'Use a superuser for the target, or make the roles there and move with the policy roles "require".',
    );
  }
  if (powerful.length > 0) {
    findings.blocker(
      'role-powerful',
      `${some(powerful)} may do more than a tenant (superuser, replication, createrole or bypassrls): a move does not make such roles.`,
      'Make them by hand on the target, or give their objects to another role.',
    );
  }
}
