import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCloud } from '../local/cloud.ts';
import { CliError, usageError } from './cli-error.ts';

/** Where an installation is, and what its parts are called. */
export interface Installation {
  /** For people: which one it is. */
  readonly place: string;
  /** Variables by which AWS SDKs reach it; empty for what the SDK finds by itself. */
  readonly env: Readonly<Record<string, string>>;
  readonly names: InstallationNames;
  /** The status API and a key to it, where they are known. */
  readonly api?: ApiAccess;
}

/** Where the status API is, and a key to it. */
export interface ApiAccess {
  readonly url: string;
  readonly key: string;
}

export interface InstallationNames {
  readonly table: string;
  readonly claimsBucket: string;
  readonly manifestsBucket: string;
  readonly requestsTopic: string;
  readonly hostChangesTopic: string;
  /** Stands in every name that it makes on hosts and of secrets. */
  readonly installation: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** The stack's output and the variable of each name. */
const nameSources = {
  table: { output: 'TableName', variable: 'DRAY_TABLE_NAME' },
  claimsBucket: { output: 'ClaimsBucketName', variable: 'DRAY_CLAIMS_BUCKET' },
  manifestsBucket: { output: 'ManifestsBucketName', variable: 'DRAY_MANIFESTS_BUCKET' },
  requestsTopic: { output: 'RequestsTopicArn', variable: 'DRAY_REQUESTS_TOPIC_ARN' },
  hostChangesTopic: { output: 'HostChangesTopicArn', variable: 'DRAY_HOST_CHANGES_TOPIC_ARN' },
  installation: { output: 'Installation', variable: 'DRAY_INSTALLATION' },
} as const satisfies Record<keyof InstallationNames, { readonly output: string; readonly variable: string }>;

/** The folder of the project: where `serverless.yml` is. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

/** Where the embedded cloud keeps its state unless told otherwise. */
export const defaultStateDir = join(projectRoot, '.drayage');

/** The state folder that is meant: the flag's, the environment's, or the project's own. */
export function chooseStateDir(flag: string | undefined, env: Variables): string {
  return resolve(flag ?? env['DRAY_STATE_DIR'] ?? defaultStateDir);
}

/**
 * The installation that commands are for: by `--state-dir`, else by the `DRAY_…` variables, else the embedded
 * cloud of this project.
 * @param profile of the AWS configuration, instead of the credentials of the environment
 * @throws CliError `cloud-not-running`, `variables-missing`, `profile-without-stage`
 */
export async function findInstallation(
  stateDir: string | undefined,
  env: Variables,
  profile?: string,
): Promise<Installation> {
  const named = Object.values(nameSources).filter(({ variable }) => isSet(env[variable]));
  if (stateDir === undefined && named.length > 0) return fromVariables(env, profile);
  if (profile !== undefined) {
    throw usageError(
      'profile-without-stage',
      'A profile has credentials for a deployed stage, and none is named',
      'name it: dray --stage <name> --profile <name> …; the embedded cloud needs no credentials',
    );
  }
  return fromStateDir(chooseStateDir(stateDir, env));
}

/**
 * The status API, where an environment names it and nothing else of an installation: what it has no route for can then
 * not be done.
 * @throws CliError `variables-missing`, `api-url-invalid`
 */
export function findApi(env: Variables): ApiAccess | undefined {
  const { DRAY_API_URL: url, DRAY_API_KEY: key } = env;
  if (Object.values(nameSources).some(({ variable }) => isSet(env[variable]))) return undefined;
  if (!isSet(url) && !isSet(key)) return undefined;
  if (!isSet(url) || !isSet(key)) {
    throw new CliError({
      code: 'variables-missing',
      sentence: `Of DRAY_API_URL and DRAY_API_KEY only one is set: ${isSet(url) ? 'DRAY_API_KEY' : 'DRAY_API_URL'} is missing`,
      cure: 'set both (docs/api.md says where they are; dray env prints those of an embedded cloud), or unset both',
    });
  }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw usageError(
      'api-url-invalid',
      `"${url}" is no address of an API`,
      'set DRAY_API_URL to one that begins with https://',
    );
  return { url: url.replace(/\/+$/, ''), key };
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';

function fromVariables(env: Variables, profile: string | undefined): Installation {
  const missing = Object.values(nameSources).flatMap(({ variable }) =>
    isSet(env[variable]) ? [] : [variable],
  );
  if (missing.length > 0) {
    throw new CliError({
      code: 'variables-missing',
      sentence: `Some DRAY_… variables are set, but not ${missing.join(', ')}`,
      cure: 'set them all (dray env prints them), or unset all of them to use the embedded cloud of this folder',
    });
  }
  const variables = awsVariables(env, profile);
  return {
    place: variables['AWS_ENDPOINT_URL'] ?? `AWS (${variables['AWS_REGION'] ?? 'default region'})`,
    env: variables,
    names: readNames(({ variable }) => env[variable]),
    ...(isSet(env['DRAY_API_URL']) && isSet(env['DRAY_API_KEY'])
      ? { api: { url: env['DRAY_API_URL'], key: env['DRAY_API_KEY'] } }
      : {}),
  };
}

/** Credentials that an environment may have: a profile that somebody names counts more. */
const ownCredentials: readonly string[] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/** What of an environment is meant for AWS SDKs, with the credentials of a profile if one is named. */
export function awsVariables(env: Variables, profile: string | undefined): Record<string, string> {
  const variables = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    name.startsWith('AWS_') && isSet(value) ? [[name, value]] : [],
  );
  if (profile === undefined) return Object.fromEntries(variables);
  const others = variables.filter(([name]) => !ownCredentials.includes(name));
  return { ...Object.fromEntries(others), AWS_PROFILE: profile };
}

async function fromStateDir(stateDir: string): Promise<Installation> {
  const cloud = await findCloud(stateDir);
  if (cloud === undefined) {
    throw new CliError({
      code: 'cloud-not-running',
      sentence: `No embedded cloud runs on ${stateDir}, and no DRAY_… variables name a deployed stage`,
      cure: 'start one in another terminal: npx dray up',
    });
  }
  return {
    place: `the embedded cloud on ${stateDir}`,
    env: cloud.env,
    names: readNames(({ output }) => cloud.outputs[output]),
    ...(cloud.api === undefined ? {} : { api: cloud.api }),
  };
}

function readNames(
  read: (source: { readonly output: string; readonly variable: string }) => string | undefined,
): InstallationNames {
  const named = (key: keyof InstallationNames): string => {
    const value = read(nameSources[key]);
    if (value !== undefined) return value;
    throw new CliError({
      code: 'output-missing',
      sentence: `The stack has no output ${nameSources[key].output}`,
      cure: 'start it again from the sources of this folder: the running one is of another version',
    });
  };
  return {
    table: named('table'),
    claimsBucket: named('claimsBucket'),
    manifestsBucket: named('manifestsBucket'),
    requestsTopic: named('requestsTopic'),
    hostChangesTopic: named('hostChangesTopic'),
    installation: named('installation'),
  };
}

/** Everything that another program needs to use this installation, by variable. */
export function variablesOf({ env, names, api }: Installation): Record<string, string> {
  return {
    ...env,
    [nameSources.table.variable]: names.table,
    [nameSources.claimsBucket.variable]: names.claimsBucket,
    [nameSources.manifestsBucket.variable]: names.manifestsBucket,
    [nameSources.requestsTopic.variable]: names.requestsTopic,
    [nameSources.hostChangesTopic.variable]: names.hostChangesTopic,
    [nameSources.installation.variable]: names.installation,
    ...(api === undefined ? {} : { DRAY_API_URL: api.url, DRAY_API_KEY: api.key }),
  };
}
