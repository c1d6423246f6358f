import { Agent, request } from 'node:http';
import { z } from 'zod';

/**
 * A client of the AWS JSON protocol for the runner's own hot paths (receive, delete, read a stream), where the
 * SDK's signing and middleware would cost more than the call.
 */
export interface AwsJsonClient {
  /** Calls `target` (`AmazonSQS.ReceiveMessage`) and answers the parsed body. Throws `AwsJsonError`. */
  call(target: string, body: unknown): Promise<unknown>;
  /** Closes idle connections. */
  close(): void;
}

/** The service answered with an error. */
class AwsJsonError extends Error {
  /** The exception's short name, such as `ResourceNotFoundException`. */
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(`${code}: ${message}`);
    this.name = 'AwsJsonError';
    this.code = code;
    this.status = status;
  }
}

const errorBody = z.object({
  __type: z.string().default('UnknownError'),
  message: z.string().optional(),
  Message: z.string().optional(),
});

/** A credential that every emulator accepts; the region is what they take from it. */
export function authorization(region: string, service: string): string {
  return `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=local`;
}

/** A keep-alive client of one endpoint and service. */
export function createAwsJsonClient(endpoint: string, region: string, service: string): AwsJsonClient {
  const url = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    authorization: authorization(region, service),
    'x-amz-date': '20260101T000000Z',
  };

  const call = (target: string, body: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const payload = JSON.stringify(body);
      const outgoing = request(
        {
          host: url.hostname,
          port: url.port,
          method: 'POST',
          path: '/',
          agent,
          headers: { ...headers, 'x-amz-target': target, 'content-length': Buffer.byteLength(payload) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            try {
              const parsed: unknown =
                chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
              if (status === 200) resolve(parsed);
              else reject(toError(parsed, status));
            } catch (error) {
              reject(
                new AwsJsonError(
                  'Unparseable',
                  `${target} answered ${String(status)}: ${String(error)}`,
                  status,
                ),
              );
            }
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });

  return {
    call,
    close: () => {
      agent.destroy();
    },
  };
}

function toError(body: unknown, status: number): AwsJsonError {
  const parsed = errorBody.parse(body);
  const code = parsed.__type.split('#').at(-1) ?? parsed.__type;
  return new AwsJsonError(code, parsed.message ?? parsed.Message ?? '', status);
}
