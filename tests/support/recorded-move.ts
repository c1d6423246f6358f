import type { Move } from '../../shared/domain/move.ts';
import type { MovePolicy } from '../../shared/domain/policy.ts';
import { fresh } from '../../shared/domain/transition.ts';
import type { Services } from '../../shared/workflow/services.ts';
import type { FaultHosts } from './fault-hosts.ts';
import { hostOf, moveOf } from './sample-batch.ts';

const retentionMs = 3_600_000;
const firstToken = 1_000_000;

/** Writes the rows of two hosts, of an endpoint on the source, and of its move, admitted; and sends its first message. */
export async function recordMove(
  { store, bus, clock }: Pick<Services, 'store' | 'bus' | 'clock'>,
  hosts: FaultHosts,
  of: {
    readonly nth: number;
    readonly endpoint: string;
    readonly database: string;
    readonly ports: { readonly source: number; readonly target: number };
    readonly policy: Partial<MovePolicy>;
  },
): Promise<void> {
  for (const side of ['source', 'target'] as const) {
    const { name, address } = hosts[side];
    const way = `${address.host}:${String(of.ports[side])}`;
    await store.insert(
      'host',
      hostOf(name, {
        url: `postgres://${address.user}@${way}/postgres`,
        replicationAddress: way,
        secret: `of ${name}`,
      }),
    );
  }
  const now = clock.now();
  const begun = {
    state: 'running',
    step: 'preflight',
    ...fresh,
    forwardOnly: false,
    retreats: 0,
    dueAt: now,
  } as const;
  const plain = moveOf(of.nth, of.endpoint, begun, { source: hosts.source.name, target: hosts.target.name });
  const move: Move = {
    ...plain,
    database: of.database,
    createdAt: now,
    policy: { ...plain.policy, retentionMs, ...of.policy },
    execution: { ...plain.execution, token: firstToken },
  };
  await store.insert('move', move);
  await store.insert('endpoint', {
    endpoint: move.endpoint,
    driver: 'postgres',
    host: move.source,
    database: move.database,
    epoch: 1,
    arbitration: { kind: 'serving' },
    claim: { move: move.id, firstToken },
    claims: 1,
    announcedEpoch: 1,
    sizeBytes: 1,
    labels: {},
    registeredAt: now,
    version: 1,
  });
  await bus.sendWork({ kind: 'work', task: move.id, phase: 'transfer' }, 0);
}
