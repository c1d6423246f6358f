import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { createSqsClient } from '../shared/aws/clients.ts';
import { asPortError } from '../shared/aws/trouble.ts';
import { CliError } from './cli-error.ts';
import { settingsFor } from './client-settings.ts';
import { awsVariables, type Installation, type Variables } from './installation.ts';

/**
 * A deployed stage, by its name alone: everything in it is called after the stage, and the address of one of its
 * queues tells region and account.
 *
 * @param profile of the AWS configuration, instead of the credentials of the environment
 * @throws CliError `stage-invalid`, `stage-unknown`
 */
export async function findStage(stage: string, env: Variables, profile?: string): Promise<Installation> {
  if (!/^[a-z0-9]{1,12}$/.test(stage)) {
    throw new CliError({
      code: 'stage-invalid',
      sentence: `"${stage}" is no name of a stage`,
      cure: 'give the name that it was deployed with: 1 to 12 of a-z and 0-9',
    });
  }
  const variables = awsVariables(env, profile);
  const table = `drayage-${stage}`;
  const { region, account } = await placeOf(`${table}-requests`, variables);
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const topic = (name: string): string => `arn:${partition}:sns:${region}:${account}:${table}-${name}`;
  return {
    place: `stage ${stage} in ${region}`,
    env: { AWS_REGION: region, ...variables },
    names: {
      table,
      claimsBucket: `${table}-claims-${account}-${region}`,
      manifestsBucket: `${table}-manifests-${account}-${region}`,
      requestsTopic: topic('requests'),
      hostChangesTopic: topic('host-changes'),
      installation: stage,
    },
  };
}

async function placeOf(
  QueueName: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly region: string; readonly account: string }> {
  const client = createSqsClient(settingsFor(variables, 'SQS'));
  try {
    const { QueueUrl = '' } = await client.send(new GetQueueUrlCommand({ QueueName }));
    const [, account = ''] = new URL(QueueUrl).pathname.split('/');
    return { region: await client.config.region(), account };
  } catch (error) {
    if (error instanceof Error && /NonExistentQueue|QueueDoesNotExist|AccessDenied/.test(error.name)) {
      throw new CliError({
        code: 'stage-unknown',
        sentence: `There is no queue ${QueueName} here, or none that you may see`,
        cure: 'check the name of the stage, AWS_REGION, and --profile or AWS_PROFILE',
      });
    }
    throw asPortError(error, 'the queue');
  } finally {
    client.destroy();
  }
}
