import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { packagedTemplate, type PackagedTemplate } from '../infrastructure/template.ts';

const root = resolve(import.meta.dirname, '../..');
const sources = [
  'functions',
  'resources',
  'shared',
  'serverless.yml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** One file of a function's package. */
export interface PackagedFile {
  readonly path: string;
  readonly text: string;
}

/** What `sls package --stage …` makes. */
export interface PackagedStage {
  /** Everything that the command said. */
  readonly said: string;
  readonly template: PackagedTemplate;
  /** By logical name of the function, e.g. `planBatch`. */
  readonly bundles: ReadonlyMap<
    string,
    { readonly digest: string; readonly gzipBytes: () => number; readonly files: readonly PackagedFile[] }
  >;
}

/**
 * Packages a stage by the command of the README in a copy of the sources, with nothing that leads to AWS: no
 * credentials, no configuration, and a proxy where nobody listens.
 *
 * @param bundles a folder for functions' bundles: what is not there is bundled, and put there
 */
export async function packageStage(
  stage: string,
  functions: readonly string[],
  bundles: string,
): Promise<PackagedStage> {
  const folder = await mkdtemp(join(tmpdir(), `drayage-package-${stage}-`));
  try {
    for (const source of sources) await cp(join(root, source), join(folder, source), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const said = await run(folder, stage, bundles);
    const output = join(folder, '.serverless');
    const text = await readFile(join(output, 'cloudformation-template-update-stack.json'), 'utf8');
    const made = await Promise.all(
      functions.map(async (name) => [name, await readBundle(join(output, `${name}.zip`))] as const),
    );
    return { said, template: packagedTemplate.parse(JSON.parse(text)), bundles: new Map(made) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readBundle(path: string) {
  const zip = await readFile(path);
  const files = Object.entries(unzipSync(zip));
  return {
    digest: createHash('sha256').update(zip).digest('hex'),
    gzipBytes: () => files.reduce((sum, [, bytes]) => sum + gzipSync(bytes, { level: 9 }).byteLength, 0),
    files: files.map(([file, bytes]) => ({ path: file, text: Buffer.from(bytes).toString('latin1') })),
  };
}

function run(folder: string, stage: string, bundles: string): Promise<string> {
  const cli = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');
  const nowhere = 'http://127.0.0.1:9';
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [cli, 'package', '--stage', stage],
      {
        cwd: folder,
        timeout: 240_000,
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          TMPDIR: folder,
          DRAYAGE_BUNDLES: bundles,
          AWS_EC2_METADATA_DISABLED: 'true',
          HTTP_PROXY: nowhere,
          HTTPS_PROXY: nowhere,
          http_proxy: nowhere,
          https_proxy: nowhere,
        },
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(new Error(`sls package --stage ${stage}: ${stdout}${stderr}`, { cause: error }));
      },
    );
  });
}
