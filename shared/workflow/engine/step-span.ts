import type { OpenSpan, SpanFacts, SpanHead } from '../../ports/tracer.ts';
import type { StepFact } from './figures.ts';
import type { UnderWay } from './phase.ts';
import type { Task, Workflow } from './workflow.ts';

/** By what people know a task, and which run of it this is. */
export function spanFacts<T extends Task, Session>(
  { about }: Pick<Workflow<T, Session>, 'about'>,
  task: T,
): SpanFacts {
  const named = Object.entries(about(task)).map(([name, value]): [string, string] => [
    `drayage.${name}`,
    value,
  ]);
  return { ...Object.fromEntries(named), 'drayage.run': task.execution.run };
}

/** One call of one step. */
export function stepSpan({ state, step, failures }: UnderWay, token: number): SpanHead {
  return {
    name: state === 'running' ? step : `undo ${step}`,
    facts: { 'drayage.step': step, 'drayage.attempt': failures + 1, 'drayage.token': token },
  };
}

/** How a call of a step has ended. */
export function tellEnd(span: OpenSpan, outcome: string, fact: StepFact): void {
  span.add({ 'drayage.outcome': outcome });
  if (fact.kind === 'step-waited') span.add({ 'drayage.waits_for': fact.code });
  if ('failure' in fact) span.fail(fact.failure.code);
}
