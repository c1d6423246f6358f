import pg from 'pg';

/** A statement that a client of PostgreSQL is about to send. */
export interface Statement {
  readonly text: string;
  /** Of the server. */
  readonly port: number;
  /** The application name of the session. */
  readonly application: string | undefined;
}

type Hook = (statement: Statement, send: () => unknown) => unknown;
let hook: Hook | undefined;

/** Hands every statement of every client in this process to `next`, which sends it; the last one set counts. */
export function onStatement(next: Hook | undefined): void {
  hook = next;
}

function applicationOf(client: pg.Client): string | undefined {
  return 'connectionParameters' in client ? nameIn(client.connectionParameters) : undefined;
}
function nameIn(parameters: unknown): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || !('application_name' in parameters))
    return undefined;
  return typeof parameters.application_name === 'string' ? parameters.application_name : undefined;
}

// Every statement of every client passes here; without a hook it is only handed on.
const original: unknown = Reflect.get(pg.Client.prototype, 'query');
if (typeof original !== 'function') throw new Error('the client has no query');
const ask = original;
Object.defineProperty(pg.Client.prototype, 'query', {
  configurable: true,
  writable: true,
  value(this: pg.Client, ...call: readonly unknown[]): unknown {
    const send = (): unknown => Reflect.apply(ask, this, call);
    const [text] = call;
    // Statements in the client's own form (a submittable) answer otherwise than by a promise.
    if (hook === undefined || typeof text !== 'string') return send();
    return hook({ text, port: this.port, application: applicationOf(this) }, send);
  },
});
