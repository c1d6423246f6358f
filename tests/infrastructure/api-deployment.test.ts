import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as z from 'zod';

const resources = join(import.meta.dirname, '..', '..', 'resources');
const resourceFile = z.object({
  rest: z.custom<(context: object) => Promise<{ readonly Resources: Record<string, unknown> }>>(
    (it) => typeof it === 'function',
  ),
});

/** The logical id of the deployment that is made of a folder of resources. */
async function deploymentOf(folder: string): Promise<string | undefined> {
  const { rest } = resourceFile.parse(createRequire(import.meta.url)(join(folder, 'api.cjs')));
  const { Resources } = await rest({
    resolveVariable: async (name: string) => (name === 'sls:stage' ? 'test' : '100'),
  });
  return Object.keys(Resources).find((id) => id.startsWith('ApiDeployment'));
}

test('the deployment of the API is another one when one of its templates is', async () => {
  const now = await deploymentOf(resources);
  const folder = mkdtempSync(join(tmpdir(), 'drayage-api-'));
  try {
    cpSync(join(resources, 'api.cjs'), join(folder, 'api.cjs'));
    cpSync(join(resources, 'api'), join(folder, 'api'), { recursive: true });
    expect(await deploymentOf(folder)).toBe(now);
    const [template = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.vtl'),
    );
    appendFileSync(join(folder, template), '\n');
    expect(await deploymentOf(folder)).not.toBe(now);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
