import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { z } from 'zod';
import { CloudError, codeOf } from '../cloud-error.ts';
import { waitForLock } from '../exclusive-lock.ts';
import { spawnOwned } from '../servers/owned-process.ts';
import { digestSources } from './sources.ts';

/** A packaged service: what `sls package` made, with the functions' code unpacked. */
export interface ServicePackage {
  /** Digest of the sources it was made from. */
  readonly digest: string;
  readonly templatePath: string;
  readonly stackName: string;
  readonly region: string;
  /** A function's unpacked code, from the key of its artifact. */
  code(artifactKey: string): FunctionCode;
}

/** Unpacked code: where it is, and a digest of its contents. */
export interface FunctionCode {
  readonly dir: string;
  readonly digest: string;
}

/** What is packaged, and who hears of it. */
export interface PackageOptions {
  readonly root: string;
  readonly stage: string;
  /** Parameters of the stage to override (`--param`). */
  readonly params: Readonly<Record<string, string>>;
  /** Called once when a package must be made, which takes some seconds. */
  readonly onPackaging: () => void;
}

const TEMPLATE = 'cloudformation-template-update-stack.json';
const STATE = 'serverless-state.json';
const ARTIFACTS = 'artifacts.json';
const BUNDLES = 'bundles';
const KEEP = 4;
const LOCK_LIMIT_MS = 180_000;
const ERROR_GRACE_MS = 1500;

/** The package of the sources as they are now: taken from the cache, or made by the Serverless CLI. */
export async function packageService(options: PackageOptions): Promise<ServicePackage> {
  const { root, stage, params } = options;
  const cli = findCli(root);
  const cache = join(cli.modules, '.cache', 'drayage-local', basename(root));
  await mkdir(cache, { recursive: true });
  const known = await findPackage(cache, (await digestSources(root, stage, params)).package);
  if (known !== undefined) return known;

  // The CLI builds inside the project folder: two at once would disturb each other.
  const lock = await waitForLock(join(cache, 'lock.db'), LOCK_LIMIT_MS);
  if (lock === undefined) {
    throw new CloudError(
      'PackagingFailed',
      `Another process has been packaging ${root} for minutes: end it and try again.`,
    );
  }
  try {
    const { package: digest, bundles } = await digestSources(root, stage, params);
    const meanwhile = await findPackage(cache, digest);
    if (meanwhile !== undefined) return meanwhile;
    options.onPackaging();
    const draft = join(cache, `draft-${String(process.pid)}`);
    await rm(draft, { recursive: true, force: true });
    // The CLI leaves a copy of every bundle in the folder for temporary files.
    const scratch = join(draft, 'temporary');
    await mkdir(scratch, { recursive: true });
    const kept = join(cache, BUNDLES, bundles);
    await mkdir(kept, { recursive: true });
    await runCli(cli.script, options, draft, { scratch, bundles: kept });
    await rm(scratch, { recursive: true, force: true });
    await unpack(draft);
    await rename(draft, join(cache, digest));
    await prune(cache, digest);
    await prune(join(cache, BUNDLES), bundles);
    return await servicePackage(cache, digest);
  } finally {
    lock.release();
  }
}

const stateSchema = z.object({
  service: z.object({
    service: z.string(),
    provider: z.object({ stage: z.string(), region: z.string(), stackName: z.string().optional() }),
  }),
});

async function servicePackage(cache: string, digest: string): Promise<ServicePackage> {
  const folder = join(cache, digest);
  const { service } = stateSchema.parse(await readJson(join(folder, STATE)));
  const digests = z.record(z.string(), z.string()).parse(await readJson(join(folder, ARTIFACTS)));
  return {
    digest,
    templatePath: join(folder, TEMPLATE),
    stackName: service.provider.stackName ?? `${service.service}-${service.provider.stage}`,
    region: service.provider.region,
    code: (artifactKey) => {
      const name = basename(artifactKey, '.zip');
      return { dir: join(folder, 'code', name), digest: digests[name] ?? '' };
    },
  };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

async function findPackage(cache: string, digest: string): Promise<ServicePackage | undefined> {
  try {
    await stat(join(cache, digest, ARTIFACTS));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const now = new Date();
  await utimes(join(cache, digest), now, now);
  return servicePackage(cache, digest);
}

function findCli(root: string): { script: string; modules: string } {
  const require = createRequire(join(root, 'serverless.yml'));
  let manifest: string;
  try {
    manifest = require.resolve('serverless/package.json');
  } catch {
    throw new CloudError(
      'BinaryMissing',
      `The Serverless CLI is not installed for ${root}: run npm ci there.`,
    );
  }
  const { bin } = z.object({ bin: z.record(z.string(), z.string()) }).parse(require(manifest));
  const script = bin['serverless'] ?? bin['sls'] ?? '';
  return { script: join(dirname(manifest), script), modules: dirname(dirname(manifest)) };
}

async function runCli(
  script: string,
  options: PackageOptions,
  target: string,
  folders: { readonly scratch: string; readonly bundles: string },
): Promise<void> {
  const { root, stage } = options;
  const params = Object.entries(options.params).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  const child = spawnOwned(
    process.execPath,
    [script, 'package', '--stage', stage, '--package', target, ...params],
    {
      cwd: root,
      env: {
        ...process.env,
        SLS_TRACKING_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
        NO_COLOR: '1',
        TMPDIR: folders.scratch,
        // Another stage, or other parameters, need not bundle the same sources again.
        DRAYAGE_BUNDLES: folders.bundles,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let hanging: NodeJS.Timeout | undefined;
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-8000);
    // After a failed build the CLI prints its error and never ends.
    if (/^Error:/m.test(output)) hanging ??= setTimeout(() => child.kill('SIGKILL'), ERROR_GRACE_MS);
  };
  const limit = setTimeout(() => child.kill('SIGKILL'), LOCK_LIMIT_MS);
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  clearTimeout(limit);
  clearTimeout(hanging);
  if (status !== 0) {
    throw new CloudError('PackagingFailed', `sls package failed in ${root}:\n${output.trim()}`);
  }
}

/** Unpacks each artifact into `code/<artifact>/`, where the functions run. */
async function unpack(folder: string): Promise<void> {
  const artifacts = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const digests: Record<string, string> = {};
  for (const artifact of artifacts) {
    const name = basename(artifact, '.zip');
    const target = join(folder, 'code', name);
    const archive = await readFile(join(folder, artifact));
    digests[name] = createHash('sha256').update(archive).digest('hex');
    const files = unzipSync(new Uint8Array(archive));
    for (const [path, content] of Object.entries(files)) {
      if (path.endsWith('/')) continue;
      if (path.split('/').includes('..'))
        throw new CloudError('PackagingFailed', `${artifact} holds the path ${path}.`);
      await mkdir(join(target, dirname(path)), { recursive: true });
      await writeFile(join(target, path), content);
    }
  }
  await writeFile(join(folder, ARTIFACTS), JSON.stringify(digests));
}

/** Keeps the most recently used folders only. */
async function prune(cache: string, current: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== current);
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(cache, name))).mtimeMs })),
  );
  const old = aged.sort((left, right) => right.at - left.at).slice(KEEP - 1);
  // A running cloud may still start functions from an old package: only those unused for an hour go.
  for (const { name, at } of old) {
    if (Date.now() - at > 3_600_000) await rm(join(cache, name), { recursive: true, force: true });
  }
}
