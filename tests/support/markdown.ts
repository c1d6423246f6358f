import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A document of the repository. @param path from its root */
export const readDocument = (path: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8');

/** A heading, and what stands under it up to the next one of any rank. */
interface Section {
  readonly rank: number;
  readonly anchor: string;
  readonly text: string;
}

export function sectionsOf(document: string): Section[] {
  return [...document.matchAll(/^(?<marks>#+) (?<heading>.*)$(?<text>(?:\n(?!#+ ).*)*)/gm)].map(
    ({ groups: { marks = '', heading = '', text = '' } = {} }) => ({
      rank: marks.length,
      anchor: anchorOf(heading),
      text,
    }),
  );
}

/** By what links name the sections of a document. */
export const anchorsOf = (document: string): string[] => sectionsOf(document).map(({ anchor }) => anchor);

/** What stands in a document as code, line by line. */
export function codeIn(document: string): string[] {
  const blocks = [...document.matchAll(/^```\w*\n(?<code>[^]*?)^```$/gm)];
  const prose = document.replaceAll(/^```\w*\n[^]*?^```$/gm, '');
  return [
    ...blocks.flatMap(({ groups: { code = '' } = {} }) => code.split('\n')),
    ...[...prose.matchAll(/`(?<code>[^`]+)`/g)].map(({ groups: { code = '' } = {} }) =>
      code.replaceAll('\n', ' '),
    ),
  ];
}

/** As GitHub makes them of headings. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
