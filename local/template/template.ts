import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CloudError } from '../cloud-error.ts';

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
});

const parameterSchema = z.object({
  Type: z.string(),
  Default: z.union([z.string(), z.number()]).transform(String).optional(),
});

const outputSchema = z.object({ Value: z.unknown(), Condition: z.string().optional() });

const templateSchema = z.object({
  Parameters: z.record(z.string(), parameterSchema).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), outputSchema).default({}),
});

/** A CloudFormation template as `sls package` writes it, checked for shape, not yet resolved. */
export type Template = z.infer<typeof templateSchema>;

/** Reads and checks a packaged template. Throws `TemplateUnreadable` with the path and the reason. */
export async function readTemplate(path: string): Promise<Template> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CloudError(
      'TemplateUnreadable',
      `The packaged template ${path} cannot be read: ${String(error)}.`,
    );
  }
  return parseTemplate(text, path);
}

/** Checks the text of a template; `origin` is named in the error. */
export function parseTemplate(text: string, origin: string): Template {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CloudError('TemplateUnreadable', `The template ${origin} is not JSON: ${String(error)}.`);
  }
  const parsed = templateSchema.safeParse(json);
  if (!parsed.success) {
    throw new CloudError(
      'TemplateUnreadable',
      `The template ${origin} is not a CloudFormation template: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}
