import { decide } from '../../domain/decide.ts';
import type { Execution } from '../../domain/execution.ts';
import { isOf } from '../../domain/workflow-shape.ts';
import type { WorkMessage } from '../../ports/bus.ts';
import type { Invocation, Services } from '../services.ts';
import { noteClaim } from './figures.ts';
import { Holder } from './holder.ts';
import { phaseOfStatus, underWay, type UnderWay } from './phase.ts';
import { runSteps } from './run-steps.ts';
import { spanFacts } from './step-span.ts';
import type { Task, Workflow } from './workflow.ts';

type EngineServices = Pick<Services, 'bus' | 'clock' | 'chance' | 'log' | 'meter' | 'tracer' | 'settings'>;

/** Work that is due within this time is sent again with a delay; what is due later is the sweep's. */
const horizonMs = 60_000;
/** A dead-man message comes a little after the lease it watches. */
const slackMs = 250;

/**
 * Does as much of a task as fits into this invocation: claims it, runs consecutive steps and records each,
 * until it must wait, change phase, yield its time, or has come to an end.
 *
 * Safe to call with any message any number of times: only the current phase's work on an unheld, due task
 * does anything.
 *
 * @throws StoreUnavailable when the table does not answer; the message is then delivered again
 */
export async function work<T extends Task, Session>(
  services: EngineServices,
  workflow: Workflow<T, Session>,
  message: WorkMessage,
  invocation: Invocation,
): Promise<void> {
  const task = await workflow.tasks.load(message.task);
  if (task === undefined) {
    services.log.warn('message for an unknown task', { task: message.task, phase: message.phase });
    return;
  }
  const status = underWay(task.execution);
  if (status === undefined) return;
  if (!isOf(workflow.shape, task.execution)) {
    // It stays due: the sweep asks again each minute, until the release that can go on with it is there again.
    services.log.warn('work of a release that has another workflow is left as it is (workflow-unknown)', {
      task: message.task,
      workflow: task.execution.workflow,
    });
    return;
  }
  const phase = phaseOfStatus(workflow.shape, status);
  if (message.kind === 'dead-man' && !(await isNeeded(services, message, task.execution, status, phase)))
    return;
  if (message.phase !== phase) return;

  const head = {
    name: `work ${phase}`,
    partOf: workflow.placeOf(task),
    // Most who come too late, or find that it waits on, have nothing to tell.
    ifParts: true,
    facts: { ...spanFacts(workflow, task), 'drayage.invocation': invocation.owner },
  } as const;
  await services.tracer.during(head, async () => {
    const holder = await claim(services, workflow, task, phase, invocation);
    if (holder !== undefined) await runSteps(services, workflow, holder, phase, invocation);
  });
}

/**
 * Has the worker that this dead-man message watches fallen silent? It also covers a hand-over that was
 * committed by a worker that died before it could send the message for it.
 */
async function isNeeded(
  services: EngineServices,
  message: WorkMessage,
  execution: Execution,
  status: UnderWay,
  phase: string,
): Promise<boolean> {
  if (execution.token !== message.token) return false;
  const inMs = (status.lease?.until ?? status.dueAt) - services.clock.now();
  if (inMs > 0) {
    if (status.lease !== undefined || inMs < horizonMs) await services.bus.sendWork(message, inMs + slackMs);
    return false;
  }
  if (message.phase !== phase) {
    await services.bus.sendWork({ kind: 'work', task: message.task, phase }, 0);
    return false;
  }
  return true;
}

async function claim<T extends Task, Session>(
  services: EngineServices,
  { shape, tasks }: Workflow<T, Session>,
  task: T,
  phase: string,
  { owner }: Invocation,
): Promise<Holder<T> | undefined> {
  const leaseMs = services.settings.leaseMs[phase] ?? 30_000;
  const now = services.clock.now();
  const decision = decide(shape, task.execution, { kind: 'claimed', owner, leaseMs }, now, owner);
  if (decision.kind === 'ignored') {
    const early = underWay(task.execution)?.dueAt ?? now;
    if (decision.why === 'early' && early - now < horizonMs) {
      await services.bus.sendWork({ kind: 'work', task: task.id, phase }, early - now);
    }
    return undefined;
  }
  const next = decision.execution;
  // Before the claim: a worker that dies between the two must not be the one nobody watches.
  const claimed = underWay(next)?.lease !== undefined;
  if (claimed) {
    await services.bus.sendWork(
      { kind: 'dead-man', task: task.id, phase, token: next.token },
      leaseMs + slackMs,
    );
  }
  const answer = await tasks.commit(task, { ...task, execution: next });
  // Of several claims at once one wins; its own dead-man message watches it.
  if (answer.kind === 'conflict') return undefined;
  const taken = underWay(task.execution);
  if (taken !== undefined) noteClaim(services.meter, phase, taken, now);
  for (const effect of decision.effects) {
    await services.bus.sendWork({ kind: 'work', task: task.id, phase: effect.phase }, effect.afterMs);
  }
  return claimed
    ? new Holder(services, shape, tasks, { task: answer.record, by: owner, leaseMs })
    : undefined;
}
