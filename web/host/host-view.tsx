import type * as z from 'zod';
import { useState } from 'preact/hooks';
import { count, showBytes } from '../../cli/quantity.ts';
import { endpointOnHost } from '../../shared/contracts/api/endpoints.ts';
import { hostAnswer } from '../../shared/contracts/api/hosts.ts';
import { permitsOf, type Host } from '../../shared/domain/host.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import { Explainer, type Explained } from '../api/explainer.ts';
import { useFeed, type Source } from '../api/feed.ts';
import { hostOf } from '../../shared/contracts/api/told.ts';
import { Commands } from '../command/command-dialog.tsx';
import { effectsOnHost } from '../command/effect.ts';
import { Facts } from '../parts/facts.tsx';
import { Prose } from '../parts/prose.tsx';
import { figures, Table } from '../parts/table.tsx';
import { View } from '../parts/view.tsx';
import { Why } from '../parts/why.tsx';
import { Word } from '../parts/word.tsx';
import { linkTo } from '../route.ts';

interface HostNow {
  readonly host: Host;
  readonly explained: Explained;
  readonly endpoints: readonly z.output<typeof endpointOnHost>[];
}

const page = 100;

function hostSource(name: HostName): Source<HostNow> {
  const path = `/hosts/${encodeURIComponent(name)}`;
  const explainer = new Explainer(path);
  return {
    everyMs: () => 3_000,
    read: async (api) => {
      const [answer, endpoints] = await Promise.all([
        api.get(path, hostAnswer),
        api.list(`${path}/endpoints`, 'endpoints', endpointOnHost),
      ]);
      const host = hostOf(answer);
      return { host, endpoints, explained: await explainer.explain(api, String(host.version)) };
    },
  };
}

export function HostView({ name }: { readonly name: HostName }) {
  const { reading, now: look } = useFeed(name, () => hostSource(name));
  return (
    <View title={`Host ${name}`} reading={reading}>
      {(known) => <Shown of={known} look={look} />}
    </View>
  );
}

function Shown({
  of: { host, endpoints, explained },
  look,
}: {
  readonly of: HostNow;
  readonly look: () => void;
}) {
  const bytes = endpoints.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { sentence = `${host.intent.value} (${host.intent.reason})` } = explained.explanation ?? {};
  return (
    <>
      <p class="lead">
        <Prose text={sentence} />
      </p>
      <Commands
        effects={effectsOnHost(host)}
        subject={{ kind: 'hosts', id: host.name, called: `host ${host.name}` }}
        done={look}
      />
      <div class="beside">
        <Why title="What is wrong, or full" of={explained} nothing="Nothing." isOne>
          <Permits host={host} />
        </Why>
        <section class="panel" aria-labelledby="facts">
          <h2 id="facts">The host</h2>
          <Facts
            of={{
              Zone: host.zone,
              Driver: `${host.driver}, ${host.serverVersion}`,
              Clients: host.clientAddress,
              Holds: `${showBytes(bytes)}${host.capacityBytes === undefined ? '' : ` of ${showBytes(host.capacityBytes)}`}`,
              Intent: `${host.intent.value} (${host.intent.reason})`,
              Paused: host.paused === undefined ? undefined : <Word of={host.paused} />,
              Resumed: host.resumed === undefined ? undefined : <Word of={host.resumed} />,
              Scaling:
                host.throttle === undefined
                  ? undefined
                  : `spared: ${String(permitsOf(host, 'out'))} out and ${String(permitsOf(host, 'in'))} in at once, of ${String(host.movesOut)} and ${String(host.movesIn)}`,
              Healing:
                host.healing === undefined ? undefined : (
                  <>
                    {host.healing.batches.map((batch) => (
                      <a key={batch} href={linkTo.batch(batch)}>
                        {batch}{' '}
                      </a>
                    ))}
                  </>
                ),
              Labels:
                Object.entries(host.labels)
                  .map(([name, value]) => `${name}=${value}`)
                  .join(', ') || undefined,
            }}
          />
        </section>
      </div>
      <Endpoints endpoints={endpoints} />
    </>
  );
}

function Permits({ host }: { readonly host: Host }) {
  const sides = [
    ['Leaving', host.permitsOut, permitsOf(host, 'out')],
    ['Arriving', host.permitsIn, permitsOf(host, 'in')],
  ] as const;
  return (
    <>
      {sides.map(([name, moves, most]) => (
        <p key={name}>
          {name}: <b>{moves.length}</b> of {most} at once{' '}
          {moves.map((move) => (
            <span key={move}>
              <a href={linkTo.move(move)}>{move}</a>{' '}
            </span>
          ))}
        </p>
      ))}
    </>
  );
}

function Endpoints({ endpoints }: Pick<HostNow, 'endpoints'>) {
  const [shown, setShown] = useState(page);
  return (
    <section class="panel" aria-labelledby="endpoints">
      <h2 id="endpoints">{count(endpoints.length, 'endpoint')}</h2>
      {endpoints.length === 0 ? (
        <p class="faint">It is empty.</p>
      ) : (
        <Table
          label="Table of endpoints"
          columns={['Endpoint', 'Database', figures('Size'), figures('Epoch')]}
        >
          {endpoints.slice(0, shown).map(({ endpoint, database, sizeBytes, epoch }) => (
            <tr key={endpoint}>
              <th scope="row">
                <a href={linkTo.endpoint(endpoint)}>{endpoint}</a>
              </th>
              <td>{database}</td>
              <td class="figure">{showBytes(sizeBytes)}</td>
              <td class="figure">{epoch}</td>
            </tr>
          ))}
        </Table>
      )}
      {endpoints.length <= shown ? null : (
        <button
          type="button"
          onClick={() => {
            setShown(shown + 4 * page);
          }}
        >
          Show more ({String(endpoints.length - shown)})
        </button>
      )}
    </section>
  );
}
