import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { drawPipeline } from '../pictures/draw-pipeline.ts';
import { packageStage, type PackagedFile, type PackagedStage } from '../support/packaged-stage.ts';
import { testDeployDocument } from './deploy-document.ts';
import { testDoors } from './doors.ts';
import { differences, linesOf, masked } from './lines.ts';
import { mistakes } from './mistakes.ts';
import { rules } from './rules/rules.ts';
import { faultsOfForm } from './specification.ts';
import { testStage } from './stage.ts';
import { packagedTemplate, required, under, type PackagedTemplate } from './template.ts';

const functions = {
  acceptRequest: 'no host',
  reactToHostChange: 'hosts',
  ingestManifest: 'no host',
  planBatch: 'no host',
  dispatchMoves: 'no host',
  transferEndpoint: 'schema dump',
  cutOverEndpoint: 'hosts',
  retireSource: 'hosts',
  rollBackMove: 'hosts',
  scaleWorkers: 'no host',
  relayChanges: 'no host',
  sweepRows: 'no host',
  sweepHosts: 'no host',
  sweepHost: 'hosts',
  explain: 'no host',
} as const;
const functionNames = Object.keys(functions);
const title = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
const touching = Object.entries(functions)
  .filter(([, touches]) => touches !== 'no host')
  .map(([name]) => title(name));

/** Kilobytes, gzipped: cold starts read all of it. */
const budgetKb = { 'no host': 250, hosts: 250, 'schema dump': 700 } as const;

/** The stage `local` is what the embedded cloud runs. */
const stages = ['dev', 'staging', 'prod'] as const;
const packaged = new Map<string, PackagedStage>();
const made = (stage: string): PackagedStage => required(packaged.get(stage), stage);

/** What the first stage is bundled into serves the others, as it does for whoever packages more than one. */
let bundles: string;

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), 'drayage-bundles-'));
  packaged.set('dev', await packageStage('dev', functionNames, bundles));
  const others = ['staging', 'prod', 'dev'];
  const done = await Promise.all(others.map(async (stage) => packageStage(stage, functionNames, bundles)));
  for (const [index, name] of ['staging', 'prod', 'dev again'].entries())
    packaged.set(name, required(done[index]));
}, 500_000);

afterAll(async () => {
  await rm(bundles, { recursive: true, force: true });
});

/** What a stage comes to under conditions, put together once. */
const settled = new Map<string, PackagedTemplate>();
function templateOf(stage: string, given: 'as it is' | 'with everything'): PackagedTemplate {
  const name = `${stage} ${given}`;
  const template = settled.get(name) ?? under(made(stage).template, given === 'as it is' ? {} : everything);
  settled.set(name, template);
  return template;
}

/** With what a stage may be given: a key of the customer's, a network, people to write to. */
const everything = {
  HasDataKey: true,
  HasNoDataKey: false,
  HasNotifyEmail: true,
  HasAlarmEmail: true,
  InNetwork: true,
  MakesEndpoints: true,
};

describe.each(stages)('the stage %s', (stage) => {
  const template = (): PackagedTemplate => templateOf(stage, 'as it is');

  test('is packaged without network, credentials or a warning', () => {
    expect(made(stage).said).not.toMatch(/warn|deprecat|error/i);
  });

  test.each(rules)('$name', ({ faults }) => {
    expect(faults(template())).toEqual([]);
    expect(faults(templateOf(stage, 'with everything'))).toEqual([]);
  });

  test('has the form that AWS specifies', () => {
    expect(faultsOfForm(template())).toEqual([]);
    expect(faultsOfForm(templateOf(stage, 'with everything'))).toEqual([]);
  });

  testStage(stage, template, touching);
  testDoors(stage, template, () => templateOf('dev', 'as it is'));
});

describe('a packaged stage', () => {
  test('is the same when it is packaged again, and so are its bundles', () => {
    expect(linesOf(masked(made('dev again').template))).toEqual(linesOf(masked(made('dev').template)));
    for (const stage of ['staging', 'prod', 'dev again']) {
      for (const name of functionNames)
        expect(made(stage).bundles.get(name)?.digest).toBe(made('dev').bundles.get(name)?.digest);
    }
  });

  // `npm run pictures` draws it anew.
  test('is what the picture of the pipeline shows', async () => {
    const picture = await readFile(join(import.meta.dirname, '../../docs/pictures/pipeline.svg'), 'utf8');
    expect(picture).toBe(await drawPipeline(made('dev').template.Resources));
  });

  test('is what people have looked at', () => {
    expect(linesOf(masked(made('prod').template)).join('\n')).toMatchSnapshot('prod');
  });

  test.each(['dev', 'staging'])('differs in %s from prod where people have looked at it', (stage) => {
    const lines = differences(masked(made(stage).template), masked(made('prod').template));
    expect(lines.join('\n')).toMatchSnapshot(`${stage} from prod`);
  });

  testDeployDocument([() => templateOf('prod', 'as it is'), () => templateOf('prod', 'with everything')]);

  test('uses a key of the customer for everything that lies still', () => {
    const given = templateOf('prod', 'with everything');
    const text = JSON.stringify(given.Resources);
    expect(given.Resources['HostChangesKey']).toBeUndefined();
    expect(text).not.toContain('alias/aws/');
    for (const [id, { Type, Properties }] of Object.entries(given.Resources)) {
      // What browsers are shown is no secret, and bundles hold none.
      if (id === 'ConsoleBucket' || id === 'ServerlessDeploymentBucket') continue;
      if (
        /^AWS::(?:SQS::Queue|SNS::Topic|S3::Bucket|DynamoDB::Table|Logs::LogGroup|Lambda::Function|IAM::Role)$/.test(
          Type,
        )
      )
        expect({ id, uses: JSON.stringify(Properties).includes(customersKey) }).toEqual({ id, uses: true });
    }
  });

  test('puts the functions that touch hosts into their network, and no others', () => {
    const given = templateOf('prod', 'with everything');
    const inside = Object.entries(given.Resources)
      .filter(([, { Properties }]) => Properties['VpcConfig'] !== undefined)
      .map(([id]) => id);
    expect(inside.sort()).toEqual(touching.map((name) => `${name}LambdaFunction`).sort());
    const may = Object.entries(given.Resources)
      .filter(([, { Properties }]) => JSON.stringify(Properties).includes('ec2:CreateNetworkInterface'))
      .map(([id]) => id);
    expect(may.sort()).toEqual(touching.map((name) => `${name}Role`).sort());
  });
});

/** What stands in the template where no key is given, under the condition that one is. */
const customersKey = '"none"';

describe('a mistake is found', () => {
  test.each(mistakes)('$what', ({ make, found }) => {
    const spoilt = packagedTemplate.parse(structuredClone(templateOf('prod', 'as it is')));
    make(spoilt);
    const faults = [...rules.flatMap((rule) => rule.faults(spoilt)), ...faultsOfForm(spoilt)];
    expect(faults.join('\n')).toMatch(found);
  });
});

describe('the bundles', () => {
  const bundle = (name: string) => required(made('dev').bundles.get(name));

  test.each(Object.entries(functions))('%s (%s) is within its budget', (name, touches) => {
    const { gzipBytes: pack, files } = bundle(name);
    const gzipBytes = pack();
    process.stdout.write(`${name}: ${String(Math.ceil(gzipBytes / 1_024))} KB gzipped\n`);
    expect(gzipBytes).toBeLessThanOrEqual(budgetKb[touches] * 1_024);
    expect(files.filter(({ path }) => path.endsWith('handler.mjs'))).toHaveLength(1);
  });

  test('only functions that touch hosts carry a database client', () => {
    for (const [name, touches] of Object.entries(functions)) {
      const code = bundle(name)
        .files.map(({ text }) => text)
        .join('\n');
      expect(code.includes('pg_stat_activity')).toBe(touches !== 'no host');
    }
  });

  test.each([
    ['CREATE SUBSCRIPTION', ['transferEndpoint']],
    ['DROP DATABASE', ['retireSource', 'rollBackMove', 'sweepHost']],
  ])('%s is known to whom it is work of alone', (statement, those) => {
    const knows = ({ path, text }: PackagedFile): boolean =>
      path.endsWith('handler.mjs') && text.includes(statement);
    const knowing = functionNames.filter((name) => bundle(name).files.some(knows));
    expect(knowing.sort()).toEqual(those);
  });

  test('only the transfer carries pg_dump', () => {
    for (const [name, touches] of Object.entries(functions)) {
      const extra = bundle(name).files.filter(({ path }) => path.startsWith('node_modules/'));
      expect(extra.map(({ path }) => path).some((path) => path.endsWith('pg_dump.wasm'))).toBe(
        touches === 'schema dump',
      );
    }
  });
});
