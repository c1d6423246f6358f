import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { SecretsServer } from '../servers/secrets.ts';
import type { Stack } from '../template/stack.ts';

const secretProperties = z.object({
  Description: z.string().optional(),
  SecretString: z.string().optional(),
  GenerateSecretString: z
    .object({
      PasswordLength: z.coerce.number().default(32),
      ExcludeCharacters: z.string().default(''),
      ExcludePunctuation: z.union([z.boolean(), z.string()]).default(false),
      SecretStringTemplate: z.string().optional(),
      GenerateStringKey: z.string().optional(),
    })
    .optional(),
});

/** Creates the template's secrets that are not there yet; a value that was put since is never touched. */
export async function provisionSecrets(stack: Stack, secrets: SecretsServer): Promise<void> {
  for (const { logicalId, properties } of stack.ofType('AWS::SecretsManager::Secret')) {
    const name = stack.arn(logicalId).split(':').at(-1)?.slice(0, -7) ?? '';
    if (secrets.has(name)) continue;
    const { Description, SecretString, GenerateSecretString } = secretProperties.parse(properties);
    const value =
      SecretString ?? (GenerateSecretString === undefined ? undefined : generate(GenerateSecretString));
    await secrets.answer('CreateSecret', {
      Name: name,
      ...(Description === undefined ? {} : { Description }),
      ...(value === undefined ? {} : { SecretString: value }),
    });
  }
}

function generate(rule: NonNullable<z.infer<typeof secretProperties>['GenerateSecretString']>): string {
  const punctuation = String(rule.ExcludePunctuation) === 'true' ? '' : '!#$%&()*+,-./:;<=>?@[]^_{|}~';
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${punctuation}`
    .split('')
    .filter((letter) => !rule.ExcludeCharacters.includes(letter));
  const password = Array.from(
    { length: rule.PasswordLength },
    () => alphabet[randomInt(alphabet.length)],
  ).join('');
  if (rule.SecretStringTemplate === undefined || rule.GenerateStringKey === undefined) return password;
  const template = z.record(z.string(), z.unknown()).parse(JSON.parse(rule.SecretStringTemplate));
  return JSON.stringify({ ...template, [rule.GenerateStringKey]: password });
}
