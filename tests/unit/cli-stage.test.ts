import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../cli/main.ts';
import { Captured } from '../support/captured-terminal.ts';
import { listenOnLoopback } from '../support/loopback.ts';

/** What the SDK reads from the process itself. */
const own = ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_EC2_METADATA_DISABLED'] as const;
const before = own.map((name) => [name, process.env[name]] as const);

let folder: string;
let server: Server;
let port: number;
/** As whom the queue's address was asked for, and in which region. */
let asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dray-profile-'));
  process.env['AWS_CONFIG_FILE'] = join(folder, 'config');
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  writeFileSync(
    join(folder, 'config'),
    '[profile ops]\nregion = eu-west-3\n[profile bare]\nregion = eu-west-3\n',
  );
  writeFileSync(
    join(folder, 'credentials'),
    '[ops]\naws_access_key_id = OPSKEY\naws_secret_access_key = secret\n',
  );
  server = createServer((request, response) => {
    const [, scope = ''] = /Credential=(\S+?)\/aws4_request/.exec(request.headers.authorization ?? '') ?? [];
    const [key, , region] = scope.split('/');
    asked.push(`${key ?? ''} in ${region ?? ''}`);
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'none' }));
  });
  port = await listenOnLoopback(server);
});

afterAll(async () => {
  server.close();
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

async function dray(argv: readonly string[], env: Record<string, string> = {}) {
  asked = [];
  const [stdout, stderr] = [new Captured(), new Captured()];
  const code = await main({
    argv,
    // By an address that dray does not take for an emulator's: then it really signs.
    env: { AWS_ENDPOINT_URL: `http://0.0.0.0:${String(port)}`, ...env },
    stdin: Readable.from([]),
    stdout,
    stderr,
    onInterrupt: () => () => undefined,
  });
  return { code, err: stderr.text };
}

const keys = { AWS_ACCESS_KEY_ID: 'ENVKEY', AWS_SECRET_ACCESS_KEY: 'secret' };

test('a profile has the credentials and the region, whatever credentials the environment has', async () => {
  const told = await dray(['--stage', 'prod', '--profile', 'ops', 'host', 'list'], keys);
  expect(told).toMatchObject({ code: 1, err: expect.stringContaining('stage-unknown') });
  expect(asked).toEqual(['OPSKEY in eu-west-3']);
  await dray(['--profile=ops', '--stage=prod', 'host', 'list'], { ...keys, AWS_REGION: 'eu-north-1' });
  expect(asked).toEqual(['OPSKEY in eu-north-1']);
  await dray(['--stage', 'prod', 'host', 'list'], { ...keys, AWS_REGION: 'eu-north-1' });
  expect(asked).toEqual(['ENVKEY in eu-north-1']);
});

test('a profile without credentials, and none of a region, are said to be that', async () => {
  const bare = await dray(['--stage', 'prod', '--profile', 'bare', 'host', 'list'], keys);
  expect(bare).toMatchObject({ code: 1, err: expect.stringContaining('error credentials-missing') });
  expect(bare.err).toContain('what next: name a profile');
  expect(asked).toEqual([]);
  const nowhere = await dray(['--stage', 'prod', 'host', 'list'], keys);
  expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining('error region-missing') });
});

test('a profile is for a stage', async () => {
  expect(await dray(['--profile', 'ops', 'host', 'list'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('profile-without-stage'),
  });
});
