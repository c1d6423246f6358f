import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connection, disconnect, findConnection } from './api/connection.ts';
import { AlarmsView } from './alarms/alarms-view.tsx';
import { BatchView } from './batch/batch-view.tsx';
import { BatchesView } from './batch/batches-view.tsx';
import { CommandDialog } from './command/command-dialog.tsx';
import { ConnectForm } from './connect-form.tsx';
import { EndpointView } from './endpoint/endpoint-view.tsx';
import { FleetView } from './fleet/fleet-view.tsx';
import { PauseBanner } from './fleet/pause-banner.tsx';
import { FreshnessBar } from './freshness-bar.tsx';
import { HostView } from './host/host-view.tsx';
import { MoveView } from './move/move-view.tsx';
import { useClock } from './parts/time.tsx';
import { linkFor, linkTo, routeOf, type Route } from './route.ts';

const hash = signal(location.hash);

export function App() {
  useClock();
  useEffect(() => {
    void findConnection();
    const onHash = (): void => {
      hash.value = location.hash;
      // Whoever cannot see that the page is another one hears its heading.
      requestAnimationFrame(() => {
        document.querySelector<HTMLElement>('main h1')?.focus();
      });
    };
    addEventListener('hashchange', onHash);
    return () => {
      removeEventListener('hashchange', onHash);
    };
  }, []);
  const route = routeOf(hash.value);
  const isConnected = connection.value !== undefined && connection.value !== null;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={linkTo.fleet}>
          Drayage
        </a>
        {isConnected ? <Navigation route={route} /> : null}
        {isConnected ? <FreshnessBar /> : null}
        {isConnected ? <PauseBanner /> : null}
      </header>
      <main id="main" tabIndex={-1}>
        {connection.value === undefined ? null : connection.value === null ? (
          <ConnectForm />
        ) : (
          <Shown key={connection.value.url} route={route} />
        )}
      </main>
      {isConnected ? <CommandDialog /> : null}
    </>
  );
}

/** The address behind the `#` is the view's: the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Navigation({ route: { view } }: { readonly route: Route }) {
  const find = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const text = new FormData(event.currentTarget).get('name');
    const to = typeof text === 'string' ? linkFor(text.trim()) : undefined;
    if (to !== undefined) location.hash = to;
  };
  return (
    <>
      <nav aria-label="Views">
        <a href={linkTo.fleet} aria-current={view === 'fleet' ? 'page' : undefined}>
          Fleet
        </a>
        <a href={linkTo.batches} aria-current={view === 'batches' ? 'page' : undefined}>
          Batches
        </a>
        <a href={linkTo.alarms} aria-current={view === 'alarms' ? 'page' : undefined}>
          Alarms
        </a>
      </nav>
      <form role="search" class="find" onSubmit={find}>
        <input
          name="name"
          type="search"
          aria-label="Endpoint, batch or move"
          placeholder="endpoint, bt_… or mv_…"
        />
        <button type="submit">Find</button>
      </form>
      <button type="button" class="quiet" onClick={disconnect}>
        Disconnect
      </button>
    </>
  );
}

function Shown({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'fleet':
      return <FleetView />;
    case 'batches':
      return <BatchesView />;
    case 'alarms':
      return <AlarmsView />;
    case 'batch':
      return <BatchView key={route.id} id={route.id} />;
    case 'move':
      return <MoveView key={route.id} id={route.id} />;
    case 'host':
      return <HostView key={route.name} name={route.name} />;
    case 'endpoint':
      return <EndpointView key={route.name} name={route.name} />;
    case 'nowhere':
      return (
        <>
          <h1 tabIndex={-1}>There is no such view</h1>
          <p>
            <code>{route.path}</code> leads nowhere. <a href={linkTo.fleet}>To the fleet</a>
          </p>
        </>
      );
    default:
      return route satisfies never;
  }
}
