import { createViews } from '../../shared/aws/views.ts';
import { codecs } from '../../shared/aws/layout.ts';
import { StepFailure } from '../../shared/domain/failure.ts';
import { simulatedDriver } from '../../shared/drivers/simulated/driver.ts';
import { unreachable, type Transport } from '../../shared/drivers/simulated/transport.ts';
import type { Bus } from '../../shared/ports/bus.ts';
import type { Chance } from '../../shared/ports/clock.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { Journal, Permits, Store, Views } from '../../shared/ports/store.ts';
import type { Tracer } from '../../shared/ports/tracer.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import type { Services, Settings } from '../../shared/workflow/services.ts';
import type { Dice } from '../support/dice.ts';
import type { MemoryBlobs } from '../support/memory-blobs.ts';
import type { MemoryBus } from '../support/memory-bus.ts';
import { createMemoryJournal } from '../support/memory-journal.ts';
import { createMemoryPermits } from '../support/memory-permits.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import type { MemoryTable } from '../support/memory-table.ts';
import type { Call, Process } from './process.ts';

/** What lies behind the ports: the same for every process. */
export interface Backing {
  readonly table: MemoryTable;
  readonly blobs: MemoryBlobs;
  readonly bus: MemoryBus;
  readonly dice: Dice;
  readonly settings: Settings;
  readonly tracer: Tracer;
  /** Called after something was put onto the bus. */
  readonly onSent: () => void;
}

/** The password of every simulated host. */
export const password = 'secret';

/** What a function of this process works with. Every call of a port goes through the process. */
export function servicesOf(process: Process, backing: Backing): Services {
  const chance: Chance = {
    fraction: () => backing.dice.fraction(),
    unique: () => `u${String(Math.floor(backing.dice.fraction() * 1e15))}`,
    digest: (...parts) => machineChance.digest(...parts),
  };
  const secrets = createMemorySecrets(new Map([['hosts', password]]));
  const driver = simulatedDriver(transportOf(process));
  return {
    store: storeOf(process, createMemoryStore(backing.table, { chance })),
    permits: permitsOf(process, createMemoryPermits(backing.table)),
    views: viewsOf(process, createViews({ query: backing.table.query, clock: process.clock, pageSize: 5 })),
    journal: journalOf(process, createMemoryJournal(backing.table)),
    blobs: {
      put: (value) => process.call(beside('blobs.put'), () => backing.blobs.put(value)),
      get: (check) => process.call(beside('blobs.get'), () => backing.blobs.get(check)),
    },
    bus: busOf(process, backing),
    secrets: { fetch: (reference) => secrets.fetch(reference) },
    clock: process.clock,
    calendar: machineCalendar,
    chance,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    meter: { note: () => undefined },
    tracer: backing.tracer,
    driver: (name) =>
      name === driver.name
        ? Promise.resolve(driver)
        : Promise.reject(
            new StepFailure(
              { code: 'driver-unknown', sentence: `no driver ${name}`, cure: 'name another' },
              'fail',
            ),
          ),
    settings: backing.settings,
  };
}

const silence = (): Error => new StoreUnavailable('no answer');
const quiet = { writes: false, commits: false, silence } as const;
const beside = (name: string): Call => ({ ...quiet, name, isTable: false });
const reads = (name: string): Call => ({ ...quiet, name, isTable: true });
const writes = (name: string): Call => ({ ...quiet, name, isTable: true, writes: true });

function storeOf(process: Process, inner: Store): Store {
  const nameOf = (key: object): string => Object.values(key).join('/');
  return {
    load: (kind, key) => process.call(reads(`load ${kind} ${nameOf(key)}`), () => inner.load(kind, key)),
    loadMany: (kind, keys) =>
      process.call(reads(`load ${String(keys.length)} ${kind}`), () => inner.loadMany(kind, keys)),
    insert: (kind, record) => {
      const key = codecs[kind].key(record);
      return process.call(writes(`insert ${key.pk} ${key.sk}`), () => inner.insert(kind, record));
    },
    commit: (kind, before, after) => {
      const key = codecs[kind].key(before);
      const name = `commit ${key.pk} ${key.sk} v${String(before.version)}`;
      return process.call({ ...writes(name), commits: kind !== 'request', key }, () =>
        inner.commit(kind, before, after),
      );
    },
    commitAlone: (kind, before, after) => {
      const key = codecs[kind].key(before);
      const name = `commit alone ${key.pk} v${String(before.version)}`;
      return process.call({ ...writes(name), commits: true, key }, () =>
        inner.commitAlone(kind, before, after),
      );
    },
    remove: (kind, record) => {
      const key = codecs[kind].key(record);
      return process.call(writes(`remove ${key.pk} ${key.sk}`), () => inner.remove(kind, record));
    },
  };
}

function permitsOf(process: Process, inner: Permits): Permits {
  return {
    take: (host, side, move, limit) =>
      process.call(writes(`take permit ${side} of ${host} for ${move}`), () =>
        inner.take(host, side, move, limit),
      ),
    giveBack: (host, side, move) =>
      process.call(writes(`give back permit ${side} of ${host} of ${move}`), () =>
        inner.giveBack(host, side, move),
      ),
    vacate: (host, move) =>
      process.call(writes(`give back what ${move} has of ${host}`), () => inner.vacate(host, move)),
    setBack: (before, after) => {
      const key = codecs.move.key(before);
      const name = `set back ${key.pk} v${String(before.version)}`;
      return process.call({ ...writes(name), commits: true, key }, () => inner.setBack(before, after));
    },
    reserve: (host, move, bytes) =>
      process.call(writes(`reserve on ${host} for ${move}`), () => inner.reserve(host, move, bytes)),
    unreserve: (host, move) =>
      process.call(writes(`unreserve on ${host} for ${move}`), () => inner.unreserve(host, move)),
  };
}

function viewsOf(process: Process, inner: Views): Views {
  const look = <T>(name: string, effect: () => Promise<T>): Promise<T> =>
    process.call(reads(`view ${name}`), effect);
  return {
    hosts: (cursor) => look('hosts', () => inner.hosts(cursor)),
    endpointsOn: (host, cursor) => look('endpoints of a host', () => inner.endpointsOn(host, cursor)),
    sizesOn: (host, cursor) => look('sizes on a host', () => inner.sizesOn(host, cursor)),
    scalers: (cursor) => look('scalers', () => inner.scalers(cursor)),
    endpoints: (cursor) => look('endpoints', () => inner.endpoints(cursor)),
    batches: (cursor) => look('batches', () => inner.batches(cursor)),
    movesOf: (batch, label, cursor) => look('moves of a batch', () => inner.movesOf(batch, label, cursor)),
    movesAt: (hour, cursor) => look('moves of an hour', () => inner.movesAt(hour, cursor)),
    waiting: (shard, after, limit) => look('waiting', () => inner.waiting(shard, after, limit)),
    due: (now, limit, cursor) => look('due', () => inner.due(now, limit, cursor)),
    history: (move, cursor) => look('history', () => inner.history(move, cursor)),
    cleanupsOn: (host, cursor) => look('cleanups', () => inner.cleanupsOn(host, cursor)),
    refusalsAt: (hour, cursor) => look('refusals', () => inner.refusalsAt(hour, cursor)),
    lettersAt: (hour, cursor) => look('letters', () => inner.lettersAt(hour, cursor)),
    notificationsAt: (hour, cursor) => look('notifications', () => inner.notificationsAt(hour, cursor)),
  };
}

function journalOf(process: Process, inner: Journal): Journal {
  return {
    append: (entries) =>
      process.call(writes(`append ${String(entries.length)} to history`), () => inner.append(entries)),
    count: (batch, changes) => process.call(writes(`count ${batch}`), () => inner.count(batch, changes)),
  };
}

function busOf(process: Process, { bus, onSent }: Backing): Bus {
  const send = (name: string, effect: () => Promise<void>): Promise<void> =>
    process.call(beside(name), async () => {
      await effect();
      onSent();
    });
  return {
    sendWork: (message, afterMs) =>
      send(`send ${message.kind} ${message.task} ${message.phase} +${String(afterMs)}`, () =>
        bus.sendWork(message, afterMs),
      ),
    sendPlan: (message, afterMs) => send(`send plan ${message.batch}`, () => bus.sendPlan(message, afterMs)),
    sendDispatch: (message, afterMs) =>
      send(`send dispatch ${message.batch ?? ''}`, () => bus.sendDispatch(message, afterMs)),
    sendHostSweep: (host) => send(`send host-sweep ${host}`, () => bus.sendHostSweep(host)),
    announce: (announcements) =>
      send(`announce ${announcements.map(({ id }) => id).join(' ')}`, () => bus.announce(announcements)),
    notify: (notifications) =>
      send(`notify ${notifications.map(({ id }) => id).join(' ')}`, () => bus.notify(notifications)),
    publish: (requests) =>
      send(`publish ${requests.map(({ id }) => id).join(' ')}`, () => bus.publish(requests)),
  };
}

/** The way to the hosts: each question is a call of its process. */
function transportOf(process: Process): Transport {
  return {
    pause: (ms, signal) => process.clock.sleep(ms, signal),
    connect(site) {
      const link = process.transport.connect(site);
      return {
        ask: (kind, input) => {
          const asks: Call = {
            ...beside(`asks ${site.host} ${kind}`),
            silence: () => unreachable(site),
          };
          return process.call(asks, () => link.ask(kind, input));
        },
        close: () => link.close(),
      };
    },
  };
}
