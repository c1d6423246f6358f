import { SessionLost, StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { HostSite } from '../../ports/driver.ts';
import { behaviourSchema, type Behaviour } from './behaviour.ts';
import type { Inputs, Kind, Outputs, RefusalBody } from './protocol.ts';

/**
 * One connection to one host. Opened by the first question; the sessions that were opened over it end with it.
 */
export interface Link {
  /** @throws StepFailure, TokenSuperseded, SessionLost */
  ask<K extends Kind>(kind: K, input: Inputs[K]): Promise<Outputs[K]>;
  /** Ends the connection now. Never throws; safe to call twice. */
  close(): Promise<void>;
}

/** A way to simulated hosts. */
export interface Transport {
  connect(site: HostSite): Link;
  /** Resolves after `ms`, at once when `signal` is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What a refusal means to the worker that met it. */
export function failureOf(site: HostSite, body: RefusalBody): Error {
  const { verdict, code, sentence, cure } = body;
  if (verdict === 'superseded') return new TokenSuperseded(sentence);
  if (verdict === 'session-lost') return new SessionLost(sentence);
  return new StepFailure({ code, sentence, cure, host: site.host }, verdict);
}

/** No answer: what the host did is not known. */
export function unreachable(site: HostSite, cause?: unknown): StepFailure {
  return new StepFailure(
    {
      code: 'host-unreachable',
      sentence: `${site.host} does not answer at ${site.url}; its state is unknown`,
      cure: 'start the host or correct its address',
      host: site.host,
    },
    'host-down',
    { cause },
  );
}

/** @throws StepFailure `option-invalid` that names the option */
export function behaviourOf(site: HostSite): Behaviour {
  const parsed = behaviourSchema.safeParse(site.options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StepFailure(
    {
      code: 'option-invalid',
      sentence: `option "${issue?.path.join('.') ?? ''}" of ${site.host}: ${issue?.message ?? 'invalid'}`,
      cure: 'correct the options of the host',
    },
    'fail',
  );
}
