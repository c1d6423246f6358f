import { StepFailure } from '../../shared/domain/failure.ts';
import type { Host } from '../../shared/domain/host.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { siteOf } from '../../shared/workflow/host-site.ts';
import type { Client } from '../client.ts';
import { settingsFor } from '../client-settings.ts';
import { count, showDuration } from '../quantity.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { good, wrong, type Finding } from './finding.ts';

/** AWS refuses what is signed with a clock that is off by five minutes; leases and deadlines suffer sooner. */
const skewMs = 2_000;
const hopelessMs = 240_000;
const answerMs = 5_000;

/** Does the installation answer, and do all its hosts, and would moves on them go well? */
export async function examineInstallation(client: Client): Promise<readonly Finding[]> {
  const { place } = client.installation;
  let names: Awaited<ReturnType<typeof allHosts>>;
  try {
    names = await allHosts(client);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return [
      wrong(place, {
        code: 'cloud-unavailable',
        sentence: `its table does not answer: ${error.message}`,
        cure: 'is it running, and do the credentials of this shell reach it? aws sts get-caller-identity tells whose they are',
      }),
    ];
  }
  const hosts = await client.store.loadMany(
    'host',
    names.map((name) => ({ name })),
  );
  return [
    good(place, `answers; ${count(names.length, 'host')} registered`),
    ...(await examineClock(client)),
    ...(
      await Promise.all(
        hosts.map(async (host) => (host === undefined ? [] : await examineHost(client, host))),
      )
    ).flat(),
  ];
}

const allHosts = (client: Client) => everyPage((cursor) => client.views.hosts(cursor));

/** Compares this machine's clock with what the table's server says with its answers, to the second. */
async function examineClock({ installation, clock }: Client): Promise<readonly Finding[]> {
  const { endpoint, region } = settingsFor(installation.env, 'DYNAMODB');
  const url = endpoint ?? (region === undefined ? undefined : `https://dynamodb.${region}.amazonaws.com`);
  if (url === undefined) return [];
  const asked = clock.now();
  const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(answerMs) }).catch(
    () => undefined,
  );
  const theirs = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(theirs)) return [];
  // Their time is cut off to the second, and was told between the question and the answer.
  const now = clock.now();
  const skew = Math.max(theirs - now, asked - (theirs + 1_000), 0);
  if (skew <= skewMs) return [good('clock', 'agrees with theirs')];
  const sentence = `differs from theirs by ${showDuration(skew)}`;
  const cure =
    'set it by NTP (timedatectl set-ntp true): requests that are signed with a wrong clock are refused';
  return [wrong('clock', { code: 'clock-skew', sentence, cure }, skew > hopelessMs ? 'bad' : 'attention')];
}

async function examineHost(client: Client, host: Host): Promise<readonly Finding[]> {
  const of = `host ${host.name}`;
  try {
    const driver = await client.driver(host.driver);
    const site = await siteOf(client, host);
    const { version, systemIdentifier } = await driver.describe(site);
    if (systemIdentifier !== host.systemIdentifier) {
      return [
        wrong(of, {
          code: 'host-is-another',
          sentence: 'the server at its address is not the one that was registered',
          cure: 'correct the address with dray host change, or register the new server under a name of its own',
        }),
      ];
    }
    const findings = await driver.examine(site, client.installation.names.installation);
    return findings.length === 0
      ? [good(of, `answers (${host.driver} ${version}); moves out of it and into it can run`)]
      : findings.map((finding) => wrong(of, finding, finding.severity === 'blocker' ? 'bad' : 'attention'));
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return [wrong(of, error.failure)];
  }
}
