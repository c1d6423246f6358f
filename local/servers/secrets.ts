import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../cloud-error.ts';
import { secretArn } from '../template/stack.ts';

const versionSchema = z.object({
  id: z.string(),
  stages: z.array(z.string()),
  string: z.string().optional(),
  binary: z.string().optional(),
  created: z.number(),
});

const secretSchema = z.object({
  arn: z.string(),
  name: z.string(),
  description: z.string().optional(),
  created: z.number(),
  changed: z.number(),
  versions: z.array(versionSchema),
});

type Secret = z.infer<typeof secretSchema>;

const requestSchema = z.object({
  SecretId: z.string().optional(),
  Name: z.string().min(1).max(512).optional(),
  Description: z.string().optional(),
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
  ClientRequestToken: z.string().optional(),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
  MaxResults: z.number().optional(),
  NextToken: z.string().optional(),
});

type Request = z.infer<typeof requestSchema>;

/** A refusal in the service's own terms. */
export class SecretsError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'SecretsError';
    this.code = code;
  }
}

/** Secrets Manager, as far as the project uses it: create, put, get, describe, list, delete. */
export interface SecretsServer {
  /** Answers one JSON 1.1 call; `operation` is the part after `secretsmanager.`. Throws `SecretsError`. */
  answer(operation: string, body: unknown): Promise<unknown>;
  has(name: string): boolean;
}

/** Opens the secrets kept in `file` (readable by its owner only); a missing file holds none. */
export async function openSecrets(file: string, region: string): Promise<SecretsServer> {
  const secrets = new Map<string, Secret>();
  for (const secret of await readSecrets(file)) secrets.set(secret.name, secret);
  let saving: Promise<void> = Promise.resolve();

  function save(): Promise<void> {
    saving = saving.then(async () => {
      const draft = `${file}.new`;
      await writeFile(draft, JSON.stringify([...secrets.values()], undefined, 2), { mode: 0o600 });
      await rename(draft, file);
    });
    return saving;
  }

  function demand(id: string | undefined): Secret {
    if (id === undefined) throw new SecretsError('InvalidParameterException', 'SecretId is required.');
    for (const secret of secrets.values()) {
      if (secret.name === id || secret.arn === id || secret.arn.slice(0, -7) === id) return secret;
    }
    throw new SecretsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  function addVersion(secret: Secret, request: Request): string {
    const id = request.ClientRequestToken ?? randomUUID();
    const same = secret.versions.find((version) => version.id === id);
    if (same !== undefined) {
      if (same.string === request.SecretString && same.binary === request.SecretBinary) return id;
      throw new SecretsError('ResourceExistsException', `The version ${id} exists with another value.`);
    }
    const previous = secret.versions.find((version) => version.stages.includes('AWSCURRENT'));
    secret.versions = [
      {
        id,
        stages: ['AWSCURRENT'],
        created: Date.now(),
        ...(request.SecretString === undefined ? {} : { string: request.SecretString }),
        ...(request.SecretBinary === undefined ? {} : { binary: request.SecretBinary }),
      },
      ...(previous === undefined ? [] : [{ ...previous, stages: ['AWSPREVIOUS'] }]),
    ];
    secret.changed = Date.now();
    return id;
  }

  function create(request: Request): Secret {
    const name = request.Name;
    if (name === undefined) throw new SecretsError('InvalidParameterException', 'Name is required.');
    if (secrets.has(name)) {
      throw new SecretsError('ResourceExistsException', `The secret ${name} already exists.`);
    }
    const now = Date.now();
    const secret: Secret = { arn: secretArn(region, name), name, created: now, changed: now, versions: [] };
    if (request.Description !== undefined) secret.description = request.Description;
    if (request.SecretString !== undefined || request.SecretBinary !== undefined) addVersion(secret, request);
    secrets.set(name, secret);
    return secret;
  }

  function value(request: Request): unknown {
    const secret = demand(request.SecretId);
    const stage = request.VersionStage ?? 'AWSCURRENT';
    const version = secret.versions.find((one) =>
      request.VersionId === undefined ? one.stages.includes(stage) : one.id === request.VersionId,
    );
    if (version === undefined) {
      throw new SecretsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${request.VersionId ?? `staging label: ${stage}`}`,
      );
    }
    return {
      ...identity(secret),
      VersionId: version.id,
      VersionStages: version.stages,
      CreatedDate: version.created / 1000,
      ...(version.string === undefined ? {} : { SecretString: version.string }),
      ...(version.binary === undefined ? {} : { SecretBinary: version.binary }),
    };
  }

  return {
    has: (name) => secrets.has(name),
    answer: async (operation, body) => {
      const request = requestSchema.parse(body);
      switch (operation) {
        case 'CreateSecret': {
          const secret = create(request);
          await save();
          return { ...identity(secret), ...currentVersion(secret) };
        }
        case 'PutSecretValue':
        case 'UpdateSecret': {
          const secret = demand(request.SecretId);
          if (request.Description !== undefined) secret.description = request.Description;
          if (request.SecretString !== undefined || request.SecretBinary !== undefined)
            addVersion(secret, request);
          else if (operation === 'PutSecretValue') {
            throw new SecretsError('InvalidParameterException', 'SecretString or SecretBinary is required.');
          }
          await save();
          return { ...identity(secret), ...currentVersion(secret), VersionStages: ['AWSCURRENT'] };
        }
        case 'GetSecretValue':
          return value(request);
        case 'DescribeSecret':
          return describe(demand(request.SecretId));
        case 'ListSecrets': {
          const start = Number(request.NextToken ?? 0);
          const end = start + (request.MaxResults ?? 100);
          const page = [...secrets.values()].slice(start, end);
          return {
            SecretList: page.map(describe),
            ...(end < secrets.size ? { NextToken: String(end) } : {}),
          };
        }
        case 'DeleteSecret': {
          const secret = demand(request.SecretId);
          secrets.delete(secret.name);
          await save();
          return { ...identity(secret), DeletionDate: Date.now() / 1000 };
        }
        default:
          throw new SecretsError(
            'InvalidRequestException',
            `${operation} is not emulated by the embedded cloud.`,
          );
      }
    },
  };
}

function identity(secret: Secret): { ARN: string; Name: string } {
  return { ARN: secret.arn, Name: secret.name };
}

function currentVersion(secret: Secret): { VersionId?: string } {
  const id = secret.versions[0]?.id;
  return id === undefined ? {} : { VersionId: id };
}

function describe(secret: Secret): unknown {
  return {
    ...identity(secret),
    ...(secret.description === undefined ? {} : { Description: secret.description }),
    CreatedDate: secret.created / 1000,
    LastChangedDate: secret.changed / 1000,
    VersionIdsToStages: Object.fromEntries(secret.versions.map((version) => [version.id, version.stages])),
  };
}

async function readSecrets(file: string): Promise<Secret[]> {
  try {
    return z.array(secretSchema).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
