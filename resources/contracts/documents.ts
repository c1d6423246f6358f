import { buildAsyncApi, eventSchemas } from './asyncapi.ts';
import { buildApi } from './openapi.ts';

/** Every file that is made of the contracts: its path in the project, and its text. */
export function makeDocuments(): ReadonlyMap<string, string> {
  const { document, templates } = buildApi();
  return new Map([
    ['resources/api/openapi.json', textOf(document)],
    ...Object.entries(templates).map(([name, text]): [string, string] => [`resources/api/${name}`, text]),
    ['docs/contracts/asyncapi.json', textOf(buildAsyncApi())],
    ...[...eventSchemas()].map(([type, schema]): [string, string] => [
      `docs/contracts/schemas/${type}.json`,
      textOf({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }),
    ]),
  ]);
}

const textOf = (document: object): string => `${JSON.stringify(document, undefined, 2)}\n`;

/** Folders in which there is nothing else. */
export const generatedFolders = ['resources/api/templates', 'docs/contracts/schemas'] as const;
