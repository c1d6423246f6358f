import { Agent, request } from 'node:http';
import { authorization } from '../servers/aws-json.ts';

/** Calls actions of DynamoDB with the text of a request, and hands back the text of the answer. */
export interface TableCaller {
  call(action: string, body: string): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

/** As API Gateway calls it; a call has as long as an integration of ours. */
const limitMs = 10_000;

/** Whose calls these are. */
export const apiCaller = 'Api';

export function createTableCaller(endpoint: string, region: string): TableCaller {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  return {
    call: (action, body) =>
      new Promise((resolve, reject) => {
        const outgoing = request(
          {
            host: hostname,
            port,
            agent,
            method: 'POST',
            path: '/',
            timeout: limitMs,
            headers: {
              'content-type': 'application/x-amz-json-1.0',
              authorization: authorization(region, 'dynamodb'),
              'user-agent': `app/${apiCaller}`,
              'x-amz-date': '20260101T000000Z',
              'x-amz-target': `DynamoDB_20120810.${action}`,
              'content-length': Buffer.byteLength(body),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks).toString('utf8') });
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${String(limitMs)} ms`)));
        outgoing.end(body);
      }),
    close: () => {
      agent.destroy();
    },
  };
}
