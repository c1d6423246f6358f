/** A process of writers: takes its orders from the process that started it, and ends with it. */
import { z } from 'zod';
import type { Gap, WriterHistory } from './history.ts';
import type { Locate } from './session.ts';
import { order } from './writers-protocol.ts';
import type { Order, Report } from './writers-protocol.ts';
import { Writers } from './writers.ts';

/** How often, in milliseconds, the other process hears of the lines written. */
const TALLY_EVERY_MS = 200;

const locatorModule = z.object({
  createLocate: z.custom<(config: unknown) => Locate>((value) => typeof value === 'function'),
});

type Start = Extract<Order, { kind: 'start' }>;

let writers: Writers | undefined;
let endpoints: readonly string[] = [];

async function start(command: Start): Promise<void> {
  const module: unknown = await import(command.locator.module);
  const locate = locatorModule.parse(module).createLocate(command.locator.config);
  endpoints = command.tenants.map((tenant) => tenant.name);
  writers = new Writers(command.tenants, { locate, perTenant: command.perTenant, rate: command.rate });
  setInterval(() => {
    if (writers !== undefined) tell({ kind: 'tally', tally: writers.tally() });
  }, TALLY_EVERY_MS).unref();
}

async function obey(command: Order): Promise<void> {
  switch (command.kind) {
    case 'start':
      return start(command);
    case 'measure': {
      const gaps = endpoints.map((name): [string, Gap[]] => [
        name,
        writers?.longestGaps(name, command.since) ?? [],
      ]);
      tell({ kind: 'gaps', gaps: Object.fromEntries(gaps) });
      return;
    }
    case 'stop': {
      const histories = (await writers?.stop()) ?? new Map<string, WriterHistory[]>();
      if (writers !== undefined) tell({ kind: 'tally', tally: writers.tally() });
      writers = undefined;
      tell({ kind: 'histories', histories: Object.fromEntries(histories) });
      return;
    }
    default:
      command satisfies never;
  }
}

function tell(report: Report): void {
  process.send?.(report);
}

// Ctrl-C on a terminal reaches every process of the group; the one that started this one says when to end.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  process.exit();
});
process.on('message', (message) => {
  obey(order.parse(message)).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
tell({ kind: 'ready' });
