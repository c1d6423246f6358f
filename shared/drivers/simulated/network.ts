import type { Behaviour } from './behaviour.ts';
import {
  addDatabase,
  createHost,
  Refusal,
  refuse,
  type DatabaseSpec,
  type Host,
  type HostSpec,
} from './host.ts';
import { apply, behave, crash, disconnect, strikes } from './model.ts';
import type { Inputs, Kind, Outputs, RefusalBody } from './protocol.ts';

/** What comes back over the network; `lost`: no answer, and nobody knows what happened. */
export type Reply<K extends Kind> =
  | { readonly kind: 'answer'; readonly output: Outputs[K] }
  | { readonly kind: 'refusal'; readonly body: RefusalBody }
  | { readonly kind: 'lost' };

/** Who asks, as the host sees it. */
export interface Caller {
  readonly link: string;
  readonly password: string | undefined;
  /** Laid over the behaviour of the host. */
  readonly options: Behaviour;
}

/** An acknowledged write of a simulated client, as the client remembers it. */
export interface Acknowledged {
  readonly database: string;
  readonly writer: string;
  readonly seq: number;
}

/**
 * Simulated hosts that reach one another. Deterministic: time comes with each message.
 */
export class Network {
  readonly hosts = new Map<string, Host>();
  /** In the order of the answers. */
  readonly acknowledged: Acknowledged[] = [];
  readonly #changed = new Map<string, Behaviour>();
  #links = 0;

  addHost(spec: HostSpec): Host {
    if (this.hosts.has(spec.name)) throw new RangeError(`there is a host ${spec.name} already`);
    const host = createHost(spec);
    this.hosts.set(spec.name, host);
    return host;
  }

  /** A database that serves, whose first rows count as acknowledged. */
  addDatabase(hostName: string, spec: DatabaseSpec, now: number): void {
    const { name, rows } = addDatabase(this.#mustFind(hostName), spec, now);
    for (const { writer, seq } of rows) this.acknowledged.push({ database: name, writer, seq });
  }

  /** @throws RangeError for a host that there is not */
  behave(hostName: string, behaviour: Behaviour): void {
    behave(this.#mustFind(hostName), behaviour);
    this.#changed.delete(hostName);
  }

  crash(hostName: string): void {
    crash(this.#mustFind(hostName));
  }

  /** A new connection; it costs nothing until something is asked over it. */
  connect(): string {
    this.#links += 1;
    return `l${String(this.#links)}`;
  }

  disconnect(link: string): void {
    for (const host of this.hosts.values()) disconnect(host, link);
  }

  /** How long an answer of this host is under way. */
  delayMs(hostName: string): number {
    return this.hosts.get(hostName)?.behaviour.slowMs ?? 0;
  }

  ask<K extends Kind>(hostName: string, caller: Caller, kind: K, input: Inputs[K], now: number): Reply<K> {
    const host = this.hosts.get(hostName);
    if (host === undefined) return { kind: 'lost' };
    this.#overlay(host, caller.options);
    if (host.behaviour.down === true) return { kind: 'lost' };
    try {
      checkPassword(host, caller.password);
      const output = apply(
        { host, now, link: caller.link, peer: (url) => this.#peer(host, url) },
        kind,
        input,
      );
      return strikes(host, 'lose', kind) ? { kind: 'lost' } : { kind: 'answer', output };
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refusal', body: error.body };
      throw error;
    }
  }

  /** A client's write; acknowledged ones are remembered for the check. */
  write(hostName: string, change: Acknowledged, now: number): Reply<'write'> {
    const host = this.hosts.get(hostName);
    const reply = this.ask(
      hostName,
      { link: 'client', password: host?.password, options: {} },
      'write',
      change,
      now,
    );
    if (reply.kind === 'answer') this.acknowledged.push(change);
    return reply;
  }

  /** Where a database accepts writes. More than one: the promise is broken. */
  servers(database: string): string[] {
    return [...this.hosts.values()]
      .filter((host) =>
        [...host.databases.values()].some(({ name, access }) => name === database && access === 'open'),
      )
      .map(({ name }) => name);
  }

  #mustFind(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new RangeError(`there is no host ${name}`);
    return host;
  }

  #peer(from: Host, url: string): Host | undefined {
    const name = hostNameOf(url);
    if (name === undefined || from.behaviour.cannotReach?.includes(name) === true) return undefined;
    const peer = this.hosts.get(name);
    return peer?.behaviour.down === true ? undefined : peer;
  }

  /** The options of a host's row hold until they change; then they are laid over what the host was made with. */
  #overlay(host: Host, options: Behaviour): void {
    const known = this.#changed.get(host.name);
    if (known === undefined && Object.keys(options).length === 0) return;
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(options)) return;
    this.#changed.set(host.name, options);
    host.behaviour = { ...host.behaviour, ...options };
  }
}

/** `sim://address/name` → `name`. */
export function hostNameOf(url: string): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  const name = decodeURIComponent(path.replace(/^\//, ''));
  return name === '' ? undefined : name;
}

function checkPassword(host: Host, password: string | undefined): void {
  if (host.password === undefined || host.password === password) return;
  throw refuse(
    'fail',
    'authentication-failed',
    `${host.name} refuses the mover's password`,
    'put the right password into the secret of the host',
  );
}
