import { Command } from 'commander';
import { wholeNumber } from '../whole-number.ts';
import { makeFleet } from './fleet.ts';
import { startSimulatedServer } from './server.ts';

const whole = wholeNumber(0);

const options = new Command('simulated hosts')
  .description('Serves simulated hosts on 127.0.0.1 until it is interrupted.')
  .option('--port <n>', 'port; 0 takes a free one', whole, 0)
  .option('--hosts <n>', 'hosts to begin with', whole, 4)
  .option('--endpoints <n>', 'databases on them', whole, 0)
  .option('--on-hosts <n>', 'spread the databases over the first n hosts', whole)
  .option('--writes <n>', 'writes a second by simulated clients', whole, 0)
  .parse()
  .opts<{ port: number; hosts: number; endpoints: number; onHosts?: number; writes: number }>();

const server = await startSimulatedServer(options.port);
const fleet = makeFleet(
  server.network,
  {
    hosts: options.hosts,
    endpoints: options.endpoints,
    ...(options.onHosts === undefined ? {} : { onHosts: options.onHosts }),
  },
  Date.now(),
);
server.write(options.writes);
console.log(
  JSON.stringify({ port: server.port, hosts: fleet.hosts.map(server.url), endpoints: options.endpoints }),
);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void server.close();
  });
}
