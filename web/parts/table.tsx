import type { ComponentChildren } from 'preact';

/** A heading; how its column looks, where that is not as text; or a heading that is only heard. */
type Column = string | { readonly heading: string; readonly as: 'figure' | 'way' | 'heard' };

interface TableProps {
  /** What it is called to whoever cannot see it: `Table of hosts`. */
  readonly label: string;
  readonly columns: readonly Column[];
  readonly class?: string;
  /** The rows. */
  readonly children: ComponentChildren;
}

/** A column of figures, which stand one below the other by their last digits. */
export const figures = (heading: string): Column => ({ heading, as: 'figure' });

/** A table, which scrolls in its place where that is too narrow for it, by keys too. */
export function Table({ label, columns, children, ...look }: TableProps) {
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label={label}>
      <table {...look}>
        <thead>
          <tr>{columns.map(headingOf)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function headingOf(column: Column): ComponentChildren {
  const { heading, as } = typeof column === 'string' ? { heading: column, as: undefined } : column;
  return (
    <th key={heading} scope="col" class={as === 'heard' ? undefined : as}>
      {as === 'heard' ? <span class="hidden">{heading}</span> : heading}
    </th>
  );
}
