import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Reading } from '../api/feed.ts';
import { isUnknown } from '../api/trouble.ts';

interface ViewProps<T> {
  /** What it is about: the heading, and the title of the page. */
  readonly title: string;
  readonly reading: Reading<T>;
  readonly children: (value: T) => ComponentChildren;
}

/** A view: its heading, and what is known; before anything is, that it is being read, or why it cannot be. */
export function View<T>({ title, reading, children }: ViewProps<T>) {
  useEffect(() => {
    document.title = `${title} · Drayage`;
  }, [title]);
  const { value, failing } = reading;
  return (
    <>
      <h1 tabIndex={-1}>{title}</h1>
      {value !== undefined ? (
        children(value)
      ) : failing === undefined ? (
        <p class="faint" role="status">
          Reading …
        </p>
      ) : (
        <div class="panel" role="alert">
          <p>
            <strong>{failing.sentence}</strong> <code>{failing.code}</code>
          </p>
          <p>{failing.cure}</p>
          {isUnknown(failing) ? (
            <p class="faint">What has just been asked for may take a moment to be there.</p>
          ) : null}
        </div>
      )}
    </>
  );
}
