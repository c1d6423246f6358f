import type * as z from 'zod';
import { showBytes } from '../../cli/quantity.ts';
import { endpointAnswer } from '../../shared/contracts/api/endpoints.ts';
import type { EndpointName } from '../../shared/domain/ids.ts';
import { Explainer, type Explained } from '../api/explainer.ts';
import { useFeed, type Source } from '../api/feed.ts';
import { Facts } from '../parts/facts.tsx';
import { Moment } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
import { Why } from '../parts/why.tsx';
import { Word } from '../parts/word.tsx';
import { linkTo } from '../route.ts';

const sentences = {
  serving: 'It serves: clients can read and write.',
  frozen: 'Its writers are paused for its cutover.',
  thawing: 'It is being opened again where it was.',
  flipped: 'It has just left its old host and is still closed.',
  opening: 'It has left its old host and is being opened.',
} as const;

interface EndpointNow {
  readonly endpoint: z.output<typeof endpointAnswer>;
  readonly explained: Explained;
}

function endpointSource(name: EndpointName): Source<EndpointNow> {
  const path = `/endpoints/${encodeURIComponent(name)}`;
  const explainer = new Explainer(path);
  return {
    everyMs: () => 2_000,
    read: async (api) => {
      const endpoint = await api.get(path, endpointAnswer);
      return { endpoint, explained: await explainer.explain(api, String(endpoint.version)) };
    },
  };
}

export function EndpointView({ name }: { readonly name: EndpointName }) {
  const { reading } = useFeed(name, () => endpointSource(name));
  return (
    <View title={`Endpoint ${name}`} reading={reading}>
      {({ endpoint, explained }) => (
        <>
          <p class="lead">
            On <a href={linkTo.host(endpoint.host)}>{endpoint.host}</a>. {sentences[endpoint.state]}
          </p>
          <Why title="Why it waits" of={explained} nothing="Nothing is in its way." isOne />
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
