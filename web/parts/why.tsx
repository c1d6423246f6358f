import type { ComponentChildren } from 'preact';
import type { Explained } from '../api/explainer.ts';
import { Blockers } from './blockers.tsx';
import { Prose } from './prose.tsx';

interface WhyProps {
  readonly title: string;
  readonly of: Explained;
  /** What is said when nothing is in the way. */
  readonly nothing: string;
  /** It is about one thing, and not about many moves. */
  readonly isOne?: boolean;
  readonly children?: ComponentChildren;
}

/** What is in the way of something, since when, what ends it, and what can be done next. */
export function Why({ title, of: { explanation, trouble }, nothing, isOne = false, children }: WhyProps) {
  return (
    <section class="panel" aria-labelledby="why">
      <h2 id="why">{title}</h2>
      {trouble !== undefined ? (
        <p>
          It cannot be told just now: {trouble.sentence} <code>{trouble.code}</code>
        </p>
      ) : explanation === undefined ? (
        <p class="faint">Asking …</p>
      ) : (
        <>
          {explanation.blockers.length === 0 ? (
            <p class="faint">{nothing}</p>
          ) : (
            <Blockers blockers={explanation.blockers} isOne={isOne} />
          )}
          {explanation.actions.length === 0 ? null : (
            <>
              <p>What can be done next:</p>
              <ul>
                {explanation.actions.map((action) => (
                  <li key={action}>
                    <Prose text={action} />
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
      {children}
    </section>
  );
}
