import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CloudError, messageOf } from '../cloud-error.ts';
import type { CallLog } from './call-log.ts';
import { createDynamoProxy } from './dynamo-proxy.ts';
import { listenOn, passOn, readBody, sendJson, stopListening, type Upstream } from './http.ts';
import { SecretsError, type SecretsServer } from './secrets.ts';
import type { WriteMeter } from './write-meter.ts';

/** The answer of a function that was invoked through the Lambda API. */
export interface InvokeAnswer {
  readonly payload: string;
  /** Whether the payload describes an error of the function. */
  readonly failed: boolean;
}

/** What stands behind the one address of the cloud. */
export interface GatewayOptions {
  readonly port: number;
  readonly dynamoEndpoint: string;
  readonly messagingEndpoint: string;
  readonly secrets: SecretsServer;
  readonly meter: WriteMeter;
  readonly calls: CallLog | undefined;
  readonly onWrite: () => void;
  readonly invoke: (name: string, payload: string, waits: boolean) => Promise<InvokeAnswer>;
}

/** The running gateway. */
export interface Gateway {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * One address for the whole cloud (`AWS_ENDPOINT_URL`): DynamoDB and its streams through the write meter, Secrets
 * Manager, Lambda's Invoke; SNS, SQS and S3 are passed on. A service that is not emulated is refused by name, so that no
 * call ever leaves the machine.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const dynamo = upstreamOf(options.dynamoEndpoint);
  const messaging = upstreamOf(options.messagingEndpoint);
  const proxy = createDynamoProxy({ upstream: dynamo, meter: options.meter, onWrite: options.onWrite });

  async function route(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const target = String(incoming.headers['x-amz-target'] ?? '');
    const [service = '', operation = ''] = target.split('.');
    options.calls?.overhear(incoming);
    if (service === 'DynamoDB_20120810') {
      await proxy(operation, incoming, outgoing);
    } else if (service === 'DynamoDBStreams_20120810') {
      passOn(dynamo, incoming, outgoing);
    } else if (service === 'secretsmanager') {
      await answerSecrets(options.secrets, operation, incoming, outgoing);
    } else if (incoming.url?.startsWith('/2015-03-31/functions/') === true) {
      await answerInvoke(options, incoming, outgoing);
    } else if (target === '' || service === 'AmazonSQS') {
      passOn(messaging, incoming, outgoing);
    } else {
      sendJson(outgoing, 501, {
        __type: 'NotImplemented',
        message: `${target} is not emulated by the embedded cloud.`,
      });
    }
  }

  const server = createServer((incoming, outgoing) => {
    route(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else sendJson(outgoing, 500, { __type: 'InternalServerError', message: messageOf(error) });
    });
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;

  await listenOn(server, options.port);
  return {
    endpoint: `http://127.0.0.1:${String(options.port)}`,
    stop: async () => {
      const stopped = stopListening(server);
      dynamo.agent.destroy();
      messaging.agent.destroy();
      await stopped;
    },
  };
}

function upstreamOf(endpoint: string): Upstream {
  const url = new URL(endpoint);
  return { host: url.hostname, port: Number(url.port), agent: new Agent({ keepAlive: true }) };
}

async function answerSecrets(
  secrets: SecretsServer,
  operation: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const body: unknown = JSON.parse((await readBody(incoming)).toString('utf8'));
    sendJson(outgoing, 200, await secrets.answer(operation, body));
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    sendJson(outgoing, 400, { __type: error.code, message: error.message });
  }
}

async function answerInvoke(
  options: GatewayOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const name =
    decodeURIComponent(incoming.url?.split('/')[3] ?? '')
      .split(':')
      .at(-1) ?? '';
  const waits = incoming.headers['x-amz-invocation-type'] !== 'Event';
  const payload = (await readBody(incoming)).toString('utf8');
  try {
    const answer = await options.invoke(name, payload === '' ? '{}' : payload, waits);
    outgoing.writeHead(waits ? 200 : 202, {
      'content-type': 'application/json',
      ...(answer.failed ? { 'x-amz-function-error': 'Unhandled' } : {}),
    });
    outgoing.end(answer.payload);
  } catch (error) {
    if (!(error instanceof CloudError && error.code === 'FunctionUnknown')) throw error;
    outgoing.setHeader('x-amzn-errortype', 'ResourceNotFoundException');
    sendJson(outgoing, 404, { Type: 'User', Message: error.message });
  }
}
