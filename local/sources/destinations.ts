import { request } from 'node:http';
import { CloudError } from '../cloud-error.ts';
import { authorization, type AwsJsonClient } from '../servers/aws-json.ts';
import { ACCOUNT_ID } from '../template/stack.ts';

/** Where events can be sent by ARN: a queue, a topic, a function. */
export interface Destinations {
  deliver(arn: string, body: string): Promise<void>;
}

/** What destinations work with. */
export interface DestinationOptions {
  readonly sqs: AwsJsonClient;
  readonly messagingEndpoint: string;
  readonly region: string;
  /** Starts an asynchronous invocation. */
  readonly invoke: (functionArn: string, payload: string) => void;
}

/** Sends to queues and topics of the messaging server, and to functions. */
export function createDestinations(options: DestinationOptions): Destinations {
  return {
    deliver: async (arn, body) => {
      const [, , service, , , name = ''] = arn.split(':');
      if (service === 'sqs') {
        const url = `${options.messagingEndpoint}/${ACCOUNT_ID}/${name}`;
        await options.sqs.call('AmazonSQS.SendMessage', { QueueUrl: url, MessageBody: body });
      } else if (service === 'sns') {
        await publish(options, arn, body);
      } else if (service === 'lambda') {
        options.invoke(arn, body);
      } else {
        throw new CloudError(
          'ServiceRefused',
          `${arn} is no destination that the embedded cloud can deliver to.`,
        );
      }
    },
  };
}

function publish(options: DestinationOptions, topicArn: string, message: string): Promise<void> {
  const form = new URLSearchParams({
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topicArn,
    Message: message,
  });
  return new Promise((resolve, reject) => {
    const outgoing = request(
      options.messagingEndpoint,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: authorization(options.region, 'sns'),
        },
      },
      (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new CloudError('ServiceRefused', `SNS refused to publish to ${topicArn}.`));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(form.toString());
  });
}
