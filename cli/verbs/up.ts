import type { Command } from 'commander';
import { CloudError, startCloud, type Cloud } from '../../local/cloud.ts';
import { startConsole } from '../../local/console/console.ts';
import type { ConsoleServer } from '../../local/console/server.ts';
import { CliError, exit } from '../cli-error.ts';
import { chooseStateDir, defaultStateDir, projectRoot, type Variables } from '../installation.ts';
import { port } from '../options.ts';
import { showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';

interface UpOptions {
  readonly port?: number;
  readonly logs?: boolean;
  readonly watch?: boolean;
}

export function addUp(program: Command, session: Session): void {
  program
    .command('up')
    .summary('start the embedded cloud here, until Ctrl-C')
    .description(
      'Starts the embedded cloud on 127.0.0.1: the packaged functions, queues, topics and table. Ctrl-C stops it.',
    )
    .option(
      '--port <number>',
      'the port of its endpoint; SNS, SQS and S3 take the next one, the API and the console those after. 0: any',
      port,
    )
    .option('--logs', 'print what the functions write')
    .option('--watch', 'package and reload when the sources change')
    .addHelpText('after', '\nExamples:\n  dray up\n  dray up --port 4566 --state-dir /tmp/other\n')
    .action(async (options: UpOptions) => {
      session.exitCode = await up(session, options);
    });
}

async function up(session: Session, options: UpOptions): Promise<number> {
  const { terminal, surroundings } = session;
  const stateDir = chooseStateDir(session.stateDir, surroundings.env);
  const began = performance.now();
  const ended = Promise.withResolvers<number>();
  const off = surroundings.onInterrupt(() => {
    ended.resolve(exit.done);
  });
  const cloud = await start(session, stateDir, options, (reason) => {
    terminal.error({
      code: 'cloud-died',
      sentence: `The embedded cloud ended by itself: ${reason}`,
      cure: `look at the logs below ${stateDir}/logs, then start it again`,
    });
    ended.resolve(exit.failed);
  });
  let page: ConsoleServer | undefined;
  try {
    page = await open(session, cloud, options);
    greet(session, cloud, page, performance.now() - began);
    return await ended.promise;
  } finally {
    off();
    terminal.note('Stopping…');
    await page?.stop();
    await cloud.stop();
    terminal.note(`Stopped. Its state stays in ${stateDir}.`);
  }
}

async function start(
  { terminal, surroundings: { env } }: Session,
  stateDir: string,
  { port: wanted, logs = false, watch = false }: UpOptions,
  onDeath: (reason: string) => void,
): Promise<Cloud> {
  try {
    return await startCloud({
      root: projectRoot,
      stateDir,
      watch,
      traces: collectorOf(env),
      onNotice: (text) => {
        terminal.note(text);
      },
      onDeath,
      ...(wanted === undefined ? {} : { port: wanted }),
      ...(logs
        ? {
            onLine: (name, line) => {
              terminal.line([styled('faint', `${name} `), line]);
            },
          }
        : {}),
    });
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    throw new CliError(
      { code: kebab(error.code), sentence: error.message, cure: cureOf(error.code) },
      exit.failed,
      { cause: error },
    );
  }
}

/** The collector to which whoever starts it sends what their own programs tell, as OpenTelemetry names it. */
const collectorOf = ({ OTEL_EXPORTER_OTLP_ENDPOINT: alsoTo = '' }: Variables) =>
  URL.canParse(alsoTo) ? { alsoTo } : {};

/** The console. A cloud without one is still a cloud: why there is none is said. */
async function open(
  { terminal }: Session,
  cloud: Cloud,
  { port: first = 0 }: UpOptions,
): Promise<ConsoleServer | undefined> {
  try {
    return await startConsole({
      root: projectRoot,
      cloud,
      onNotice: (text) => {
        terminal.note(text);
      },
      ...(first === 0 ? {} : { port: first + 3 }),
    });
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    terminal.error({
      code: kebab(error.code),
      sentence: `There is no console: ${error.message}`,
      cure: 'everything else is up; run npm ci, and npm run build:web shows what is wrong with the sources',
    });
    return undefined;
  }
}

const kebab = (text: string): string => text.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

function cureOf(code: CloudError['code']): string {
  switch (code) {
    case 'CloudAlreadyRunning':
      return 'use that one, stop it, or give this one a folder of its own with --state-dir';
    case 'PortTaken':
      return 'choose another with --port, or leave it out for any that is free';
    case 'BinaryMissing':
    case 'NodeTooOld':
      return 'run npm ci, and start dray by npx in the folder of the project';
    default:
      return 'look at the logs below the state folder; npx sls package --stage local shows what is wrong with the sources';
  }
}

function greet({ terminal }: Session, cloud: Cloud, page: ConsoleServer | undefined, ms: number): void {
  const { env, outputs, stateDir, api, metrics } = cloud;
  const flag = stateDir === defaultStateDir ? '' : ` --state-dir ${stateDir}`;
  terminal.line([styled('good', '✓'), ` the embedded cloud is up (${showDuration(ms)})`]);
  const facts: Text[][] = [
    ['  endpoint', env['AWS_ENDPOINT_URL'] ?? ''],
    ['  SNS, SQS, S3', env['AWS_ENDPOINT_URL_SNS'] ?? ''],
    ['  requests', outputs['RequestsTopicArn'] ?? ''],
    ['  host changes', outputs['HostChangesTopicArn'] ?? ''],
    ...(page === undefined ? [] : [['  console', page.url]]),
    ['  API', api?.url ?? ''],
    ['  metrics', metrics],
    ['  table', outputs['TableName'] ?? ''],
    ['  state', stateDir],
  ];
  for (const line of columns(facts)) terminal.line(line);
  terminal.line('In another terminal:');
  for (const command of [
    'host add a --url postgres://user:password@127.0.0.1:5432/postgres',
    'host add b --url postgres://user:password@127.0.0.1:5433/postgres',
    'endpoint discover a --add',
    'move <endpoint> --to b --wait',
    'drain a --reason "disk is failing" --wait',
  ]) {
    terminal.line(`  npx dray${flag} ${command}`);
  }
  terminal.line(`  eval "$(npx dray${flag} env)"    any AWS SDK or CLI then talks to it`);
  terminal.line(styled('faint', 'Ctrl-C stops it.'));
}
