import { showDuration } from './quantity.ts';
import type { ToldSpan } from './span-log.ts';
import { columns, styled, type Text } from './text.ts';

/** A span, and what is a part of it in the order in which it began. */
export interface SpanTree {
  readonly span: ToldSpan;
  readonly parts: readonly SpanTree[];
}

/**
 * The trees that spans make. A root is a part of nothing, or of what was not told here: of its publisher's span, or of
 * one that is not over yet.
 */
export function treesOf(spans: readonly ToldSpan[]): readonly SpanTree[] {
  const told = new Set(spans.map(({ span }) => span));
  const byParent = Map.groupBy(spans, ({ parent }) =>
    parent !== undefined && told.has(parent) ? parent : '',
  );
  const under = (parent: string): readonly SpanTree[] =>
    (byParent.get(parent) ?? [])
      .toSorted((one, other) => one.since - other.since || other.until - one.until)
      .map((span) => ({ span, parts: under(span.span) }));
  return under('');
}

/** The tree below a span, wherever it is. */
export function treeAt(trees: readonly SpanTree[], span: string): SpanTree | undefined {
  for (const tree of trees) {
    const found = tree.span.span === span ? tree : treeAt(tree.parts, span);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Lines for people: what, when after the beginning, for how long, and how it ended. */
export function treeLines(trees: readonly SpanTree[]): Text[] {
  const began = Math.min(...trees.map(({ span }) => span.since));
  const rows = trees.flatMap((tree) => rowsOf(tree, began, 0));
  return columns(rows, new Set([1, 2]));
}

const indent = 2;

function rowsOf({ span, parts }: SpanTree, began: number, depth: number): (readonly Text[])[] {
  const { name, since, until, failure, facts } = span;
  const of = name === 'move' ? facts['drayage.endpoint'] : undefined;
  const outcome = facts['drayage.outcome'] ?? facts['drayage.waits_for'];
  return [
    [
      `${' '.repeat(depth * indent)}${name}${of === undefined ? '' : ` ${String(of)}`}`,
      `+${showDuration(Math.max(0, since - began))}`,
      showDuration(Math.max(0, until - since)),
      failure === undefined
        ? styled('faint', outcome === undefined ? '' : String(outcome))
        : styled('bad', outcome === undefined ? failure : `${String(outcome)}: ${failure}`),
    ],
    ...parts.flatMap((part) => rowsOf(part, began, depth + 1)),
  ];
}
