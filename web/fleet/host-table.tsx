import { showBytes } from '../../cli/quantity.ts';
import { figures, Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import type { FleetNow, ListedHost } from './fleet-source.ts';

/** The fleet in words: what the picture shows, for everybody. */
export function HostTable({ fleet }: { readonly fleet: FleetNow }) {
  const journeys = [...fleet.journeys.values()];
  return (
    <section class="panel" aria-labelledby="hosts">
      <h2 id="hosts">Hosts</h2>
      <Table
        label="Table of hosts"
        columns={[
          'Host',
          'Zone',
          'State',
          figures('Endpoints'),
          figures('Leaving'),
          figures('Arriving'),
          'Filled',
        ]}
      >
        {fleet.hosts.map((host) => {
          const endpoints = fleet.endpoints.get(host.host);
          const bytes = endpoints?.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          return (
            <tr key={host.host}>
              <th scope="row">
                <a href={linkTo.host(host.host)}>{host.host}</a>
              </th>
              <td>{host.zone}</td>
              <td>{howItIs(host)}</td>
              <td class="figure">{endpoints?.length ?? '…'}</td>
              <td class="figure">{journeys.filter(({ source }) => source === host.host).length || ''}</td>
              <td class="figure">{journeys.filter(({ target }) => target === host.host).length || ''}</td>
              <td>
                {bytes === undefined ? (
                  '…'
                ) : (
                  <Filled
                    bytes={bytes}
                    {...(host.capacityBytes === undefined ? {} : { capacity: host.capacityBytes })}
                  />
                )}
              </td>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}

function Filled({ bytes, capacity }: { readonly bytes: number; readonly capacity?: number }) {
  if (capacity === undefined) return <>{showBytes(bytes)}</>;
  const share = bytes / Math.max(1, capacity);
  return (
    <span class="filled">
      <meter
        min={0}
        max={1}
        high={0.9}
        optimum={0}
        value={Math.min(1, share)}
        aria-label={`${showBytes(bytes)} of ${showBytes(capacity)}`}
      />
      <span>{share < 0.01 && share > 0 ? '<1' : String(Math.round(100 * share))} %</span>
    </span>
  );
}

/** What people want of it, and what is wrong with it. */
export function howItIs({
  intent,
  signals,
  paused,
  throttle,
}: Pick<ListedHost, 'intent' | 'signals' | 'paused' | 'throttle'>): string {
  const ailments = Object.entries(signals).map(([name, { kind }]) => `${kind}: ${name}`);
  return [
    intent.value,
    ...(paused === undefined ? [] : ['paused']),
    ...ailments,
    ...(throttle === undefined ? [] : ['spared']),
  ].join(', ');
}
