import type { Command } from 'commander';
import { variablesOf } from '../installation.ts';
import { jsonOption } from '../options.ts';
import type { Session } from '../session.ts';

export function addEnv(program: Command, session: Session): void {
  program
    .command('env')
    .summary('variables for AWS SDKs and the AWS CLI')
    .description('Prints the variables by which any AWS SDK or CLI reaches the running cloud.')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  eval "$(dray env)"
  aws sns publish --topic-arn "$DRAY_HOST_CHANGES_TOPIC_ARN" --message file://drain.json
`,
    )
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const variables = variablesOf(await session.installation());
      if (json) {
        session.terminal.json(variables);
        return;
      }
      for (const [name, value] of Object.entries(variables))
        session.terminal.line(`export ${name}=${quoted(value)}`);
    });
}

/** As a shell takes it, whatever is in it. */
export const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
