import type { ComponentChildren } from 'preact';
import { linkTo } from '../route.ts';

const known = /(bt_[0-9a-z]{20}|mv_[0-9a-z]{16}|dray [^;,()]*[^;,()\s])/;

/** A sentence as the domain says it: ids in it lead to what they name, and commands look like commands. */
export function Prose({ text }: { readonly text: string }) {
  return <>{text.split(known).map(part)}</>;
}

function part(text: string): ComponentChildren {
  if (/^bt_[0-9a-z]{20}$/.test(text)) return <a href={linkTo.batch(text)}>{text}</a>;
  if (/^mv_[0-9a-z]{16}$/.test(text)) return <a href={linkTo.move(text)}>{text}</a>;
  return text.startsWith('dray ') ? <code>{text}</code> : text;
}
