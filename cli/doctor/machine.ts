import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloudError } from '../../local/cloud.ts';
import { findBinaries, serverAccount } from '../../local/demo/binaries.ts';
import { findDynoxide } from '../../local/servers/dynamo.ts';
import { demandPort } from '../../local/servers/ports.ts';
import { showBytes } from '../quantity.ts';
import { good, wrong, type Finding } from './finding.ts';

/** An embedded cloud that has less to write to stops soon, and one that has nothing does not start. */
const littleBytes = 1e9;
const noBytes = 5e7;

export interface Place {
  /** The embedded cloud's folder. */
  readonly stateDir: string;
  /** The port that its endpoint is to have; undefined for any. */
  readonly port: number | undefined;
  /** One runs on that folder: what it has taken is not missing. */
  readonly isUp: boolean;
}

/** What this machine needs for the embedded cloud and the demonstration's servers. */
export async function examineMachine({ stateDir, port, isUp }: Place): Promise<readonly Finding[]> {
  const folder = await nearest(stateDir);
  return [
    isUp
      ? good('embedded cloud', `runs on ${stateDir}`)
      : wrong(
          'embedded cloud',
          {
            code: 'cloud-not-running',
            sentence: `none runs on ${stateDir}`,
            cure: 'start one in another terminal: npx dray up',
          },
          'attention',
        ),
    ...(port === undefined || isUp ? [] : [await examinePort(port)]),
    await examineFolder(folder),
    await examineDisk(folder),
    attempt('DynamoDB', 'its program is here', 'run npm ci', findDynoxide),
    attempt(
      'PostgreSQL',
      'the server programs of npm are here',
      'run npm ci; npm start and the tests need them, moves between servers of your own do not',
      () => findBinaries(18, serverAccount()),
    ),
  ];
}

async function examinePort(port: number): Promise<Finding> {
  const of = `port ${String(port)}`;
  try {
    await demandPort(port);
    return good(of, 'is free');
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return wrong(of, {
      code: 'port-taken',
      sentence: 'another program listens on it',
      cure: `stop it (ss -ltnp 'sport = :${String(port)}' names it), or choose another port with dray up --port`,
    });
  }
}

async function examineFolder(folder: string): Promise<Finding> {
  const of = 'state folder';
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return good(of, `${folder} can be written to`);
  } catch {
    return wrong(of, {
      code: 'folder-denied',
      sentence: `${folder} cannot be written to by this account`,
      cure: 'change its owner, or give another folder with --state-dir',
    });
  }
}

async function examineDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const sentence = `${showBytes(free)} free where ${folder} is`;
  if (free >= littleBytes) return good('disk', sentence);
  const cure = 'make room there, or give a folder on another disk with --state-dir';
  return wrong('disk', { code: 'disk-full', sentence, cure }, free < noBytes ? 'bad' : 'attention');
}

/** The folder, or what it will be made in. */
async function nearest(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch {
    const above = dirname(folder);
    return above === folder ? folder : await nearest(above);
  }
}

function attempt(of: string, fine: string, cure: string, look: () => unknown): Finding {
  try {
    look();
    return good(of, fine);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    return wrong(of, { code: 'binary-missing', sentence, cure });
  }
}
