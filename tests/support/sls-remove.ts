import { createRequire } from 'node:module';
import * as z from 'zod';

const require = createRequire(import.meta.url);
const RemovalGuard = z
  .custom<
    new (
      serverless: object,
      options: object,
      tools: object,
    ) => { readonly hooks: { readonly 'before:remove:remove': () => Promise<void> } }
  >((it) => typeof it === 'function')
  .parse(require('../../resources/removal-guard.cjs'));
const AwsProvider = z
  .custom<new (serverless: object, options: object) => object>((it) => typeof it === 'function')
  .parse(require('serverless/lib/plugins/aws/provider.js'));

/** The options of `sls remove`. */
export interface RemoveOptions {
  readonly stage: string;
  readonly param?: readonly string[];
  readonly 'aws-profile'?: string;
}

/**
 * What our plugin does before `sls remove` removes: with serverless's own provider, so with the credentials, region and
 * stage by which the rest of it removes.
 *
 * @param region as the service has it
 * @returns what the plugin says while it lets the removal go
 * @throws Error with which it stops the removal
 */
export async function beforeRemoval(region: string, options: RemoveOptions): Promise<readonly string[]> {
  const said: string[] = [];
  const serverless: object = {
    setProvider: () => undefined,
    getProvider: () => provider,
    service: { provider: { stage: 'dev', region } },
    config: {},
    classes: { Error },
  };
  const provider = new AwsProvider(serverless, options);
  const log = { notice: (text: string) => said.push(text) };
  const { hooks } = new RemovalGuard(serverless, options, { log });
  await hooks['before:remove:remove']();
  return said;
}
