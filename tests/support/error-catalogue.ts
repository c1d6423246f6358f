import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One thing that can go wrong, as the sources say it. */
export interface CatalogueEntry {
  readonly code: string;
  readonly sentence: string;
  readonly cure: string;
}

/** Functions that make a failure of a code, a sentence and a cure in this order, by the place of the code. */
const makers: Readonly<Record<string, number>> = { usageError: 0, fault: 1, refuse: 1 };

/** Every code that stands in the sources below the folders, each with the words that stand beside it. */
export function readCatalogue(root: string, folders: readonly string[]): readonly CatalogueEntry[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  );
  const entries = files.flatMap((file) =>
    entriesIn(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true)),
  );
  const byCode = new Map<string, CatalogueEntry>();
  for (const entry of entries) {
    const known = byCode.get(entry.code);
    if (known === undefined || (!isWhole(known) && isWhole(entry))) byCode.set(entry.code, entry);
  }
  // zod's own word for a rule of ours; the codes stand in its parameters.
  byCode.delete('custom');
  return [...byCode.values()].sort((one, other) => (one.code < other.code ? -1 : 1));
}

/** Where the sentence is the one that the server gave. */
const asSaid = '_as the server says it_';

const isWhole = ({ sentence, cure }: CatalogueEntry): boolean => sentence !== '' && cure !== '';

/** The catalogue for people. */
export function renderCatalogue(entries: readonly CatalogueEntry[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  return [
    '# What can go wrong',
    '',
    'Every code that Drayage gives, with its sentence and the cure; `…` stands for what differs from case to case.',
    'Made from the sources: `UPDATE_DOCS=1 npm test -- tests/unit/errors-documented`.',
    '',
    '| code | sentence | cure |',
    '| --- | --- | --- |',
    ...entries.map(
      ({ code, sentence, cure }) =>
        `| \`${code}\` | ${cell(sentence === '' ? asSaid : sentence)} | ${cell(cure)} |`,
    ),
    '',
  ].join('\n');
}

function entriesIn(source: ts.SourceFile): CatalogueEntry[] {
  const found: CatalogueEntry[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) found.push(...entriesOfObject(node));
    if (ts.isCallExpression(node)) found.push(...entriesOfCall(node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function entriesOfObject(node: ts.ObjectLiteralExpression): CatalogueEntry[] {
  const partOf = (object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined =>
    object.properties.find(
      (property): property is ts.PropertyAssignment =>
        ts.isPropertyAssignment(property) && property.name.getText() === name,
    )?.initializer;
  // A rule of a contract: its words stand around the parameters in which code and cure are.
  const around = ts.isPropertyAssignment(node.parent) ? node.parent.parent : node;
  const [code, cure] = [partOf(node, 'code'), partOf(node, 'cure')];
  const sentence =
    partOf(node, 'sentence') ??
    partOf(node, 'message') ??
    partOf(around, 'message') ??
    (node.parent !== around ? partOf(around, 'error') : undefined) ??
    // What something waits for, where a person can end it.
    (cure === undefined ? undefined : partOf(node, 'on'));
  if (code === undefined || (sentence === undefined && cure === undefined)) return [];
  return textsOf(code).map((text, nth) => ({
    code: text,
    sentence: choice(sentence, nth),
    cure: choice(cure, nth),
  }));
}

function entriesOfCall(node: ts.CallExpression): CatalogueEntry[] {
  const at = makers[node.expression.getText()];
  if (at === undefined) return [];
  const [code, sentence, cure] = node.arguments.slice(at);
  if (code === undefined) return [];
  return textsOf(code).map((text, nth) => ({
    code: text,
    sentence: at === 1 ? `The field … ${choice(sentence, nth)}.` : choice(sentence, nth),
    cure: choice(cure, nth),
  }));
}

const choice = (node: ts.Expression | undefined, nth: number): string => {
  const texts = node === undefined ? [] : textsOf(node, '…');
  return texts[nth] ?? texts[0] ?? '';
};

/** What an expression can be, as text. @param other what stands for what is no text; left out without it */
function textsOf(node: ts.Expression, other?: string): string[] {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (ts.isConditionalExpression(node))
    return [...textsOf(node.whenTrue, other), ...textsOf(node.whenFalse, other)];
  if (ts.isTemplateExpression(node) && other !== undefined)
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  return other === undefined ? [] : [other];
}
