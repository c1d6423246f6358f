import * as z from 'zod';
import type { HostName } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { StepEnd, TransferSession } from '../../ports/driver.ts';
import type { Hand } from '../engine/workflow.ts';
import type { Services } from '../services.ts';
import type { MoveScene } from './scene.ts';

const lagging = z.object({ lagMs: z.number().nonnegative() });

/** How far the target lies behind, where the driver says so; one that has caught up lies behind by nothing. */
export function tellOfLag({ meter }: Pick<Services, 'meter'>, target: HostName, end: StepEnd): void {
  const said = lagging.safeParse(end.kind === 'done' ? end.result : end.progress);
  if (said.success) meter.note('ReplicationLagMs', said.data.lagMs, { host: target }, {});
  else if (end.kind === 'done') meter.note('ReplicationLagMs', 0, { host: target }, {});
}

/** How long both hosts take for a question that asks nothing, over sessions that are open already. */
export async function tellOfLatency(
  scene: MoveScene<TransferSession>,
  hand: Hand<Move>,
  hosts: Readonly<Record<'source' | 'target', HostName>>,
): Promise<void> {
  const { meter, clock } = scene.services;
  const session = await scene.session(hand);
  for (const side of ['source', 'target'] as const) {
    await session.ping(side);
    const asked = clock.now();
    await session.ping(side);
    meter.note('HostLatencyMs', clock.now() - asked, { host: hosts[side] });
  }
}
