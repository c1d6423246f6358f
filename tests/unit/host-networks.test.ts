import { connect, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { hostName } from '../../shared/domain/ids.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import { simulatedHttpDriver } from '../../shared/drivers/simulated/driver.ts';
import { ConfigInvalid, readConfig } from '../../shared/runtime/config.ts';
import { hostNetworks } from '../../shared/runtime/host-networks.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { variables } from '../support/runtime-environment.ts';

const inPrivate = ['10.0.0.0/8', '192.168.0.0/16', 'fc00::/7'];
const refusal = {
  name: 'StepFailure',
  verdict: 'fail',
  failure: expect.objectContaining({ code: 'host-address-refused' }),
};
const stage = hostNetworks(inPrivate, false);

describe('an address', () => {
  test.each(['10.1.2.3', '192.168.0.1', 'fd12::5', '[fd12::5]', '::ffff:10.1.2.3'])(
    '%s in a network of the stage is admitted',
    (address) => {
      expect(() => {
        stage.assertAdmits(address);
      }).not.toThrow();
    },
  );

  test.each(['11.0.0.1', '172.32.0.1', '192.169.0.1', '2600:1f18::1', '::ffff:8.8.8.8'])(
    '%s in none of them is refused, with those that there are',
    (address) => {
      expect(() => {
        stage.assertAdmits(address);
      }).toThrow(expect.objectContaining(refusal));
      expect(() => {
        stage.assertAdmits(address);
      }).toThrow('10.0.0.0/8, 192.168.0.0/16, fc00::/7');
    },
  );

  const everywhere = ['0.0.0.0/0', '::/0', '169.254.0.0/16'];
  const metadata = [
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
    '[fd00:ec2::254]',
    'fe80::1%eth0',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
  ];
  const own = ['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'];

  test.each([...metadata, ...own])('%s is refused whatever the parameter says', (address) => {
    expect(() => {
      hostNetworks(everywhere, false).assertAdmits(address);
    }).toThrow(expect.objectContaining(refusal));
  });

  test('of this very machine is admitted on the embedded cloud, and link-local ones are not there either', () => {
    const embedded = hostNetworks(inPrivate, true);
    for (const address of own) embedded.assertAdmits(address);
    for (const address of metadata) {
      expect(() => {
        embedded.assertAdmits(address);
      }).toThrow(expect.objectContaining(refusal));
    }
  });
});

describe('a name', () => {
  /** What a socket hears that asks for it. */
  const connecting = async (host: string, networks = stage): Promise<unknown> => {
    const socket = connect({ host, port: 1, lookup: networks.lookup });
    return await new Promise((resolve) => socket.once('error', resolve));
  };

  test('says nothing before it is looked up, and then is where its addresses are', async () => {
    stage.assertAdmits('localhost');
    expect(await connecting('localhost')).toMatchObject(refusal);
    // Nothing listens at that port, and that is all that is wrong.
    const tried = await connecting('localhost', hostNetworks(inPrivate, true));
    expect(tried).not.toMatchObject(refusal);
  });

  // A resolver takes them for 127.0.0.1.
  test.each(['2130706433', '0x7f000001', '127.1'])(
    'that is an address in disguise is found out: %s',
    async (name) => {
      expect(await connecting(name)).toMatchObject(refusal);
    },
  );

  test.each([
    '2852039166',
    '0xa9fea9fe',
    '0XA9FEA9FE',
    '169.254.43518',
    '0251.0376.0251.0376',
    '169.254.0xa9fe',
    '169.254.169.254.',
    '10.1',
    'db.7',
    '0x',
  ])('ends in no number, since another resolver may take it for an address: %s', (name) => {
    expect(() => {
      stage.assertAdmits(name);
    }).toThrow(expect.objectContaining(refusal));
  });

  test.each(['db1', '7db', '10.db', 'db.7x', 'x0a', 'db.0xyz', 'db1.internal.', 'ec2-10-0-0-7.internal'])(
    'may hold numbers: %s',
    (name) => {
      expect(() => {
        stage.assertAdmits(name);
      }).not.toThrow();
    },
  );
});

describe('nothing is sent to a server outside of the networks', () => {
  test.each([
    { driver: postgresDriver, url: (at: string) => `postgres://mover@${at}/postgres?sslmode=disable` },
    { driver: simulatedHttpDriver, url: (at: string) => `sim://${at}/a` },
  ])('by the driver $driver.name, by address or by name', async ({ driver, url }) => {
    let heard = 0;
    const server = createServer((socket) => {
      heard += 1;
      socket.destroy();
    });
    const port = String(await listenOnLoopback(server));
    try {
      for (const host of ['127.0.0.1', 'localhost', '127.1']) {
        const site = {
          host: hostName('a'),
          url: url(`${host}:${port}`),
          replicationAddress: `${host}:${port}`,
          password: 'secret',
          networks: stage,
          options: {},
        };
        await expect(driver.describe(site)).rejects.toMatchObject(refusal);
      }
      expect(heard).toBe(0);
    } finally {
      server.close();
    }
  });
});

test.each(['10.0.0.0', '10.0.0.0/33', 'fd00::/129', 'db.example/8', '10.0.0.0/8 fc00::/7', 'fe80::1%lo/64'])(
  'a stage whose parameter says %s does not start',
  (text) => {
    expect(() => readConfig({ ...variables, HOST_NETWORKS: text })).toThrow(ConfigInvalid);
  },
);
