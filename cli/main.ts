import { CommanderError } from 'commander';
import { ZodError } from 'zod';
import { StepFailure } from '../shared/domain/failure.ts';
import type { Refusal } from '../shared/domain/event.ts';
import { RowUnreadable, StoreUnavailable } from '../shared/ports/failures.ts';
import { CliError, exit } from './cli-error.ts';
import { buildProgram, exitCodeOf, joinWords } from './program.ts';
import { Session, type Surroundings } from './session.ts';

/** Runs one command line. @returns the exit code; errors have been told */
export async function main(surroundings: Surroundings): Promise<number> {
  const session = new Session(surroundings);
  try {
    await buildProgram(session).parseAsync(joinWords(surroundings.argv), { from: 'user' });
    return session.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOf(error);
    const refusal = refusalOf(error);
    if (wantsJson(surroundings.argv)) session.terminal.json({ error: refusal });
    else session.terminal.error(refusal);
    return error instanceof CliError ? error.exitCode : exit.failed;
  } finally {
    await session.close();
  }
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

/** The SDK has asked nobody where it has nothing to sign with, or does not know where. */
function unavailable({ message, cause }: StoreUnavailable): Refusal {
  if (cause instanceof Error && /^(?:CredentialsProvider|TokenProvider)Error$/.test(cause.name)) {
    return {
      code: 'credentials-missing',
      sentence: `There are no AWS credentials: ${cause.message}`,
      cure: 'name a profile that has some (--profile or AWS_PROFILE), or sign in to it: aws sso login --profile <name>',
    };
  }
  if (cause instanceof Error && cause.message === 'Region is missing') {
    return {
      code: 'region-missing',
      sentence: 'It is not said in which region the stage is',
      cure: 'set AWS_REGION, or give the profile its region: aws configure set region <region> --profile <name>',
    };
  }
  return {
    code: 'cloud-unavailable',
    sentence: `The cloud does not answer: ${message}`,
    cure: 'is it still running? Look at the terminal of dray up, or start it again',
  };
}

/** What, why, what next, of whatever was thrown. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof CliError) return error.refusal;
  if (error instanceof StepFailure) return error.failure;
  if (error instanceof StoreUnavailable) return unavailable(error);
  if (error instanceof ZodError || error instanceof RowUnreadable) {
    return {
      code: 'row-unreadable',
      sentence: `A row of the table is not what this version of dray writes: ${error.message}`,
      cure: 'use the dray of the version that is deployed',
    };
  }
  return {
    code: 'unexpected',
    sentence: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    cure: 'this is a mistake of ours: please report it with the command that you gave',
  };
}
