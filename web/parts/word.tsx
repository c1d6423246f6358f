import type { Hold } from '../../shared/domain/pause.ts';
import { Ago } from './time.tsx';

/** What a person has said: who, when and why. */
export function Word({ of: { by, at, reason } }: { readonly of: Hold }) {
  return (
    <>
      by {by}, <Ago at={at} />: “{reason}”
    </>
  );
}
