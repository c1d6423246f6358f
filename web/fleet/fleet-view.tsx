import { useEffect, useRef, useState } from 'preact/hooks';
import { count } from '../../cli/quantity.ts';
import { useFeed } from '../api/feed.ts';
import { BatchList } from '../batch/batch-list.tsx';
import { View } from '../parts/view.tsx';
import { linkTo } from '../route.ts';
import { FleetSource, type FleetNow } from './fleet-source.ts';
import { HostTable } from './host-table.tsx';
import { Legend, talliesOf } from './legend.tsx';
import { Painter } from './painter.ts';
import { whatIsAt } from './plan.ts';

export function FleetView() {
  const { reading } = useFeed('fleet', () => new FleetSource());
  return (
    <View title="Fleet" reading={reading}>
      {(fleet) => (
        <>
          {fleet.hosts.length === 0 ? (
            <p class="panel">
              No hosts yet. Register one: <code>npx dray host add a --url postgres://…</code>
            </p>
          ) : (
            <>
              <Legend fleet={fleet} />
              <Picture fleet={fleet} />
            </>
          )}
          <div class="beside">
            <section class="panel" aria-labelledby="under-way">
              <h2 id="under-way">Batches under way</h2>
              {fleet.batches.length === 0 ? (
                <p class="faint">
                  None. <a href={linkTo.batches}>Those that are over</a>
                </p>
              ) : (
                <BatchList batches={fleet.batches} />
              )}
            </section>
            <HostTable fleet={fleet} />
          </div>
        </>
      )}
    </View>
  );
}

interface Hovered {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly link: string;
}

/** Hosts as columns, their endpoints as tiles in them. The table of hosts says the same in words. */
function Picture({ fleet }: { readonly fleet: FleetNow }) {
  const place = useRef<HTMLDivElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const moving = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter>(undefined);
  const [hovered, setHovered] = useState<Hovered>();
  const [width, setWidth] = useState(0);

  useEffect(() => {
    if (still.current === null || moving.current === null || place.current === null) return;
    const own = new Painter(still.current, moving.current);
    painter.current = own;
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.floor(entry?.contentRect.width ?? 0));
    });
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      own.stop();
    };
  }, []);
  useEffect(() => {
    if (width > 0) painter.current?.show(fleet, width, innerHeight * 0.6);
  }, [fleet, width]);

  const find = ({ offsetX, offsetY }: MouseEvent): Hovered | undefined => {
    const found =
      painter.current === undefined ? undefined : whatIsAt(painter.current.picture, offsetX, offsetY);
    if (found === undefined) return undefined;
    const { column, endpoint } = found;
    return endpoint === undefined
      ? { x: offsetX, y: offsetY, text: `host ${column.host}`, link: linkTo.host(column.host) }
      : { x: offsetX, y: offsetY, text: `${endpoint} on ${column.host}`, link: linkTo.endpoint(endpoint) };
  };
  return (
    <div class="picture" ref={place}>
      <canvas ref={still} role="img" aria-label={inWords(fleet)} />
      <canvas
        ref={moving}
        class="above"
        aria-hidden="true"
        onPointerMove={(event) => {
          setHovered(find(event));
        }}
        onPointerLeave={() => {
          setHovered(undefined);
        }}
        onClick={(event) => {
          const found = find(event);
          if (found !== undefined) location.hash = found.link;
        }}
      />
      {hovered === undefined ? null : (
        <span
          class="tip"
          aria-hidden="true"
          ref={(element) => {
            // By the object model: the page forbids styles in attributes.
            if (element === null) return;
            element.style.left = `${String(Math.min(hovered.x, width - 180))}px`;
            element.style.top = `${String(hovered.y + 14)}px`;
          }}
        >
          {hovered.text}
        </span>
      )}
    </div>
  );
}

function inWords(fleet: FleetNow): string {
  const tallies = talliesOf(fleet)
    .filter(({ figure }) => figure > 0)
    .map(({ figure, word }) => `${figure.toLocaleString('en')} ${word}`);
  return `${count(fleet.hosts.length, 'host')} with ${tallies.join(', ') || 'no endpoints'}. The table of hosts has the same in words.`;
}
