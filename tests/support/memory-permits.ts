import { codecs } from '../../shared/aws/layout.ts';
import { changeBetween, nextOf } from '../../shared/aws/row-change.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import type { Attribute, Row } from '../../shared/contracts/rows/row.ts';
import { StepFailure } from '../../shared/domain/failure.ts';
import type { PermitSide } from '../../shared/domain/host.ts';
import type { Permits } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import type { MemoryTable, MemoryWrite } from './memory-table.ts';

const attributeOf = { out: 'permitsOut', in: 'permitsIn' } as const satisfies Record<PermitSide, string>;

/** Permits on the hosts' rows of a table in memory. */
export function createMemoryPermits(table: MemoryTable): Permits {
  return {
    async take(host, side, move, limit) {
      const name = attributeOf[side];
      const answer = await onHost(host, (row) => {
        const held = setIn(row, name);
        return held.has(move) || held.size < limit ? { ...row, [name]: new Set([...held, move]) } : 'refused';
      });
      if (answer === 'no-host') throw unknownHost(host);
      return answer === 'done';
    },
    async giveBack(host, side, move) {
      const name = attributeOf[side];
      await onHost(host, (row) => {
        const held = new Set([...setIn(row, name)].filter((each) => each !== move));
        return { ...row, [name]: held.size === 0 ? undefined : held };
      });
    },
    async vacate(host, move) {
      await onHost(host, (row) => {
        const { [move]: _, ...reserved } = mapIn(row, 'reserved');
        const held = new Set([...setIn(row, attributeOf.in)].filter((each) => each !== move));
        return { ...row, reserved, [attributeOf.in]: held.size === 0 ? undefined : held };
      });
    },
    async setBack(before, after) {
      const record = nextOf('move', before, after);
      const { set, remove } = changeBetween(
        'move',
        before,
        record,
        machineChance.digest('set back', before.id, String(before.version)),
      );
      const without = (host: HostName, side: PermitSide): MemoryWrite => ({
        key: codecs.host.key({ name: host }),
        next: (row) => {
          if (row === undefined) return 'refused';
          const held = new Set([...setIn(row, attributeOf[side])].filter((each) => each !== before.id));
          return { ...row, [attributeOf[side]]: held.size === 0 ? undefined : held };
        },
      });
      const answer = await table.writeAll([
        {
          key: codecs.move.key(before),
          next: (row) =>
            row?.['version'] === before.version
              ? {
                  ...row,
                  ...Object.fromEntries(remove.map((name) => [name, undefined])),
                  ...Object.fromEntries(set),
                }
              : 'refused',
        },
        without(before.source, 'out'),
        without(before.target, 'in'),
      ]);
      return answer === 'done' ? { kind: 'committed', record } : { kind: 'conflict' };
    },
    async reserve(host, move, bytes) {
      const answer = await onHost(host, (row) => ({
        ...row,
        reserved: { ...mapIn(row, 'reserved'), [move]: bytes },
      }));
      if (answer === 'no-host') throw unknownHost(host);
    },
    async unreserve(host, move) {
      await onHost(host, (row) => {
        const { [move]: _, ...rest } = mapIn(row, 'reserved');
        return { ...row, reserved: rest };
      });
    },
  };

  async function onHost(
    name: HostName,
    change: (row: Row) => Row | 'refused',
  ): Promise<'done' | 'refused' | 'no-host'> {
    const found = { host: true };
    const answer = await table.write(codecs.host.key({ name }), (row) => {
      found.host = row !== undefined;
      return row === undefined ? 'refused' : change(row);
    });
    return found.host ? answer : 'no-host';
  }
}

function setIn(row: Row, name: string): Set<string> {
  const value = row[name];
  return value instanceof Set ? value : new Set();
}

function mapIn(row: Row, name: string): Readonly<Record<string, Attribute | undefined>> {
  const value = row[name];
  return isMap(value) ? value : {};
}

const isMap = (value: Attribute | undefined): value is Readonly<Record<string, Attribute | undefined>> =>
  typeof value === 'object' && value !== null && !(value instanceof Set) && !Array.isArray(value);

function unknownHost(host: HostName): StepFailure {
  return new StepFailure(
    { code: 'host-unknown', sentence: `there is no host ${host}`, cure: `register ${host} first` },
    'fail',
  );
}
