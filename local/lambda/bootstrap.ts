/**
 * The runtime inside an execution environment: asks the Lambda Runtime API for the next event, hands it to the
 * handler, posts the answer. Stands alone (Node's own modules only), so that a cold start loads nothing else.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// As the bundles do: an import would load more of Node than a cold start needs.
const { Agent, request } = process.getBuiltinModule('node:http');

type Handler = (event: unknown, context: unknown) => unknown;

const [host = '', port = ''] = (process.env['AWS_LAMBDA_RUNTIME_API'] ?? '').split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const BASE = '/2018-06-01/runtime';

interface Reply {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function call(method: string, path: string, body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        method,
        path: BASE + path,
        agent,
        headers: body === undefined ? {} : { 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ headers: response.headers, body: text });
        });
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function describe(error: unknown): string {
  if (error instanceof Error) {
    return JSON.stringify({
      errorType: error.name,
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n'),
    });
  }
  return JSON.stringify({ errorType: typeof error, errorMessage: String(error), trace: [] });
}

async function loadHandler(): Promise<Handler> {
  const name = process.env['_HANDLER'] ?? '';
  const dot = name.lastIndexOf('.');
  const base = join(process.env['LAMBDA_TASK_ROOT'] ?? '.', name.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => base + extension).find((path) => existsSync(path));
  if (file === undefined)
    throw new Error(`Cannot find module '${base}' (.mjs, .js or .cjs): check Handler ${name}.`);
  const loaded: unknown = await import(pathToFileURL(file).href);
  const handler =
    memberOf(loaded, name.slice(dot + 1)) ?? memberOf(memberOf(loaded, 'default'), name.slice(dot + 1));
  if (typeof handler !== 'function') throw new Error(`${name} is undefined or not a function.`);
  return async (event, context) => {
    const answer: unknown = await Reflect.apply(handler, undefined, [event, context]);
    return answer;
  };
}

function memberOf(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return Reflect.get(value, name);
}

function contextOf(headers: Reply['headers']): unknown {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: String(headers['lambda-runtime-aws-request-id']),
    invokedFunctionArn: String(headers['lambda-runtime-invoked-function-arn']),
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function serve(handler: Handler): Promise<never> {
  for (let first = true; ; first = false) {
    const next = await call('GET', '/invocation/next');
    const id = String(next.headers['lambda-runtime-aws-request-id']);
    process.env['_X_AMZN_TRACE_ID'] = String(next.headers['lambda-runtime-trace-id'] ?? '');
    let outcome: [path: string, body: string];
    try {
      const answer = await handler(JSON.parse(next.body), contextOf(next.headers));
      outcome = [`/invocation/${id}/response`, answer === undefined ? 'null' : JSON.stringify(answer)];
    } catch (error) {
      console.error(error);
      outcome = [`/invocation/${id}/error`, describe(error)];
    }
    // For the next cold start, now that the code which an event needs is compiled too. Environments are frozen and
    // killed: at their end, when Node does it, it is too late.
    if (first) flushCompileCache();
    await call('POST', ...outcome);
  }
}

try {
  const handler = await loadHandler();
  // Without the runner there is nothing to do: a lost connection ends the environment.
  await serve(handler).catch(() => process.exit(1));
} catch (error) {
  console.error(error);
  await call('POST', '/init/error', describe(error)).catch(() => undefined);
  process.exit(1);
}
