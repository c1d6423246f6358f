/**
 * Moves one large endpoint, whose clients write, by functions that live for a few seconds:
 *
 *     npm run deadline -- [--megabytes 1000] [--life 5]
 *
 * `--life` is seconds until a function must be at a safe point; four more, and it is killed. The last line is the
 * outcome; the status is 0 only if the endpoint has moved, nothing is lost or differs, no function had to be
 * killed, and every hand-over stands in the history.
 */
import { parseArgs } from 'node:util';
import { bigTenant } from '../../local/demo/tenants.ts';
import { raiseFaultHosts } from '../support/fault-hosts.ts';
import { endClients, FaultyMove } from '../support/faulty-move.ts';
import { MoveProof } from '../support/move-proof.ts';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    life: { type: 'string', default: '5' },
  },
});

const hosts = await raiseFaultHosts({ both: { settings: { max_wal_size: '4GB' } } });
try {
  const { content } = bigTenant('big', Number(options.megabytes));
  const move = await FaultyMove.begin(hosts, { content, lifeMs: Number(options.life) * 1_000 });
  const proof = await MoveProof.begin(move);
  const began = performance.now();
  await move.deliver();
  const seconds = Math.round((performance.now() - began) / 1_000);
  const handedOver = move.history.filter(({ fact }) => fact === 'handed-over');
  const steps = Object.fromEntries(
    [...new Set(handedOver.map(({ step }) => step ?? ''))].map((step) => [
      step,
      handedOver.filter((entry) => entry.step === step).length,
    ]),
  );
  const wrong = await proof.ofMoved();
  const workers = new Set(move.history.map(({ by }) => by)).size;
  const outcome = {
    megabytes: Number(options.megabytes),
    seconds,
    workers,
    handedOver: steps,
    killed: move.killed,
    wrong,
  };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  process.exitCode = wrong.length === 0 && move.killed === 0 && handedOver.length > 0 ? 0 : 1;
} finally {
  await endClients();
  await hosts.close();
}
