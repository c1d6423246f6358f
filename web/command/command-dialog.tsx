import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Api } from '../api/api.ts';
import { connection } from '../api/connection.ts';
import { troubleOf, type Trouble } from '../api/trouble.ts';
import { linkTo } from '../route.ts';
import type { Effect } from './effect.ts';
import { carryOut, type Outcome } from './send.ts';

/** What a command is about. */
export interface Subject {
  readonly kind: 'batches' | 'moves' | 'hosts';
  readonly id: string;
  /** `batch bt_…` */
  readonly called: string;
}

interface Asked {
  readonly effect: Effect;
  readonly subject: Subject;
  /** The request's id: however often it is sent, it is one request. */
  readonly requestId: string;
  readonly done: () => void;
}

type Stage =
  | { readonly kind: 'asking' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'failed'; readonly trouble: Trouble }
  | { readonly kind: 'over'; readonly outcome: Outcome };

const asked = signal<Asked | undefined>(undefined);
const stage = signal<Stage>({ kind: 'asking' });
const fault = signal('');

/** Buttons for what can be done about something; each shows what it will do before it does it. */
export function Commands({
  effects,
  subject,
  done,
}: {
  readonly effects: readonly Effect[];
  readonly subject: Subject;
  /** Looks again, once something was done. */
  readonly done: () => void;
}) {
  if (effects.length === 0) return null;
  return (
    <div class="commands" role="group" aria-label={`What can be done with ${subject.called}`}>
      {effects.map((effect) => (
        <button
          key={effect.verb}
          type="button"
          class={effect.isFinal === true && effect.verb === 'cancel' ? 'grave' : ''}
          onClick={() => {
            asked.value = { effect, subject, requestId: newId(), done };
            stage.value = { kind: 'asking' };
            fault.value = '';
          }}
        >
          {effect.title} …
        </button>
      ))}
    </div>
  );
}

const newId = (): string =>
  `console-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** Asks for a reason, shows what will be done, does it, and tells what became of it. */
export function CommandDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const current = asked.value;
  useEffect(() => {
    if (current === undefined) dialog.current?.close();
    else if (dialog.current?.open === false) dialog.current.showModal();
  }, [current]);
  const close = (): void => {
    asked.value = undefined;
  };
  return (
    <dialog ref={dialog} aria-labelledby="command-title" onClose={close}>
      {current === undefined ? null : <Question {...current} close={close} />}
    </dialog>
  );
}

function Question({ effect, subject, requestId, done, close }: Asked & { readonly close: () => void }) {
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const given = new FormData(event.currentTarget).get('reason');
    const reason = typeof given === 'string' ? given.trim() : '';
    fault.value =
      reason === '' ? 'Give a reason: it stands in the history of everything that this touches.' : '';
    if (reason !== '') void tell(reason);
  };
  const tell = async (reason: string): Promise<void> => {
    const to = connection.value;
    if (to === undefined || to === null) return;
    stage.value = { kind: 'sending' };
    try {
      const api = new Api(to, new AbortController().signal);
      const path = `/${subject.kind}/${encodeURIComponent(subject.id)}/${effect.verb}`;
      stage.value = { kind: 'over', outcome: await carryOut(api, path, requestId, reason) };
      done();
    } catch (error) {
      stage.value = { kind: 'failed', trouble: troubleOf(error) };
    }
  };
  const { kind } = stage.value;
  return (
    <form onSubmit={send} noValidate>
      <h2 id="command-title">
        {effect.title}: {subject.called}
      </h2>
      <p>What it will do, as things are now:</p>
      <ul>
        {effect.does.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {effect.isFinal === true ? <p class="faint">No other command takes it back.</p> : null}
      {kind === 'over' ? null : (
        <label>
          Reason
          <input
            name="reason"
            required
            maxLength={500}
            autoComplete="off"
            aria-describedby={fault.value === '' ? undefined : 'command-fault'}
            aria-invalid={fault.value === '' ? undefined : 'true'}
          />
        </label>
      )}
      {fault.value === '' ? null : (
        <p class="fault" role="alert" id="command-fault">
          {fault.value}
        </p>
      )}
      <Answer />
      <div class="commands">
        {kind === 'over' ? (
          <button type="button" class="main-action" onClick={close}>
            Close
          </button>
        ) : (
          <>
            <button type="submit" class="main-action" disabled={kind === 'sending'}>
              {kind === 'failed' ? `${effect.title} (try again)` : effect.title}
            </button>
            <button type="button" onClick={close}>
              Do nothing
            </button>
          </>
        )}
      </div>
    </form>
  );
}

function Answer() {
  const now = stage.value;
  switch (now.kind) {
    case 'asking':
      return null;
    case 'sending':
      return <p role="status">Asking for it …</p>;
    case 'failed':
      return (
        <p class="fault" role="alert">
          {now.trouble.sentence} <code>{now.trouble.code}</code> Trying again is safe: it stays one request.
        </p>
      );
    case 'over':
      return <Told outcome={now.outcome} />;
    default:
      return now satisfies never;
  }
}

function Told({ outcome }: { readonly outcome: Outcome }) {
  switch (outcome.state) {
    case 'accepted':
      return (
        <p class="good" role="status">
          ✓ Accepted.{' '}
          {outcome.batch === undefined ? null : (
            <a href={linkTo.batch(outcome.batch)} onClick={() => (asked.value = undefined)}>
              The batch
            </a>
          )}
        </p>
      );
    case 'refused':
      return (
        <p class="fault" role="alert">
          ✗ Refused: {outcome.sentence} {outcome.cure} <code>{outcome.code}</code>
        </p>
      );
    case 'waiting':
      return (
        <p role="status">
          It has been put down, and will be looked at; nobody has yet. Its address:{' '}
          <code>/requests/{outcome.request}</code>
        </p>
      );
    default:
      return outcome.state satisfies never;
  }
}
