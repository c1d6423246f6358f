import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connect, connectionSchema, knownUrl } from './api/connection.ts';

const fault = signal('');

/** Asks where the API is, and for a key to it, where nobody has said so. */
export function ConnectForm() {
  useEffect(() => {
    document.title = 'Connect · Drayage';
  }, []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const given = Object.fromEntries(new FormData(event.currentTarget));
    const parsed = connectionSchema.safeParse(given);
    fault.value = parsed.success
      ? ''
      : parsed.error.issues
          .map(({ path, message }) => `${path[0] === 'url' ? 'Address' : 'Key'}: ${message}.`)
          .join(' ');
    if (parsed.success) connect(parsed.data);
  };
  return (
    <form class="panel connect" onSubmit={submit} noValidate>
      <h1 tabIndex={-1}>Connect</h1>
      <p>
        The console reads the status API of one installation. The key stays in this tab, until it is closed,
        and is sent to that address only.
      </p>
      <label>
        Address of the API
        <input
          name="url"
          type="url"
          required
          defaultValue={knownUrl.value}
          placeholder="https://…"
          autoComplete="url"
        />
      </label>
      <label>
        Key
        <input name="key" type="password" required autoComplete="off" />
      </label>
      <p class="faint">
        <code>ApiUrl</code> and <code>ApiKeyId</code> are outputs of the stack; <code>dray env</code> prints
        both of an embedded cloud.
      </p>
      {fault.value === '' ? null : (
        <p class="fault" role="alert">
          {fault.value}
        </p>
      )}
      <button type="submit" class="main-action">
        Connect
      </button>
    </form>
  );
}
