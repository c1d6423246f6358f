import { showBytes } from '../../cli/quantity.ts';
import { endpointAnswer } from '../../shared/contracts/api/endpoints.ts';
import type { EndpointName } from '../../shared/domain/ids.ts';
import { useFeed } from '../api/feed.ts';
import { Facts } from '../parts/facts.tsx';
import { Moment } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
import { Word } from '../parts/word.tsx';
import { linkTo } from '../route.ts';

const sentences = {
  serving: 'It serves: clients can read and write.',
  frozen: 'Its writers are paused for its cutover.',
  thawing: 'It is being opened again where it was.',
  flipped: 'It has just left its old host and is still closed.',
  opening: 'It has left its old host and is being opened.',
} as const;

export function EndpointView({ name }: { readonly name: EndpointName }) {
  const { reading } = useFeed(name, () => ({
    read: (api) => api.get(`/endpoints/${encodeURIComponent(name)}`, endpointAnswer),
    everyMs: () => 2_000,
  }));
  return (
    <View title={`Endpoint ${name}`} reading={reading}>
      {(endpoint) => (
        <>
          <p class="lead">
            On <a href={linkTo.host(endpoint.host)}>{endpoint.host}</a>. {sentences[endpoint.state]}
          </p>
          <section class="panel" aria-label="Facts">
            <Facts
              of={{
                Database: `${endpoint.database} (${endpoint.driver})`,
                Size: showBytes(endpoint.sizeBytes),
                Epoch: `${String(endpoint.epoch)}${endpoint.announcedEpoch === endpoint.epoch ? '' : ' (not announced yet)'}`,
                'Moved now by':
                  endpoint.move === undefined ? undefined : (
                    <a href={linkTo.move(endpoint.move)}>{endpoint.move}</a>
                  ),
                'Last move':
                  endpoint.lastMove === undefined ? undefined : (
                    <a href={linkTo.move(endpoint.lastMove)}>{endpoint.lastMove}</a>
                  ),
                Paused: endpoint.paused === undefined ? undefined : <Word of={endpoint.paused} />,
                Resumed: endpoint.resumed === undefined ? undefined : <Word of={endpoint.resumed} />,
                Pinned: endpoint.pin,
                Zones: endpoint.zones?.join(', '),
                Group:
                  endpoint.group === undefined
                    ? undefined
                    : `${endpoint.group.name}, spread over ${endpoint.group.spread}`,
                Labels:
                  Object.entries(endpoint.labels)
                    .map(([label, value]) => `${label}=${value}`)
                    .join(', ') || undefined,
                Registered: <Moment at={endpoint.registeredAt} />,
              }}
            />
          </section>
        </>
      )}
    </View>
  );
}
