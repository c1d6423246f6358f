import type { Batch } from '../shared/domain/batch.ts';
import type { GateScene } from '../shared/domain/gate.ts';
import { leastWindowMs } from '../shared/domain/window.ts';
import { machineCalendar } from '../shared/runtime/calendar.ts';
import { readFleet } from '../shared/workflow/fleet-record.ts';
import { windowOf } from '../shared/workflow/gate-scene.ts';
import type { Client } from './client.ts';

/** What holds back all of a batch, beside what stands on its own row. */
export async function saidOf(client: Client, batch: Batch): Promise<Pick<GateScene, 'fleet' | 'window'>> {
  const { clock } = client;
  return {
    fleet: await readFleet(client),
    window: windowOf({ clock, calendar: machineCalendar }, batch, leastWindowMs),
  };
}
