import { createSign, generateKeyPairSync } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate that signs itself, and its key, both PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** A value of ASN.1, as DER writes it. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const oid = (text: string): Buffer => der(0x06, hex(text));
const octets = (...parts: readonly Uint8Array[]): Buffer => der(0x04, ...parts);
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

/** One for a server of this name or IPv4 address, from 2020 to 2049. */
export function certify(server: string): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(server)))));
  const isAuthority = sequence(oid('551d13'), der(0x01, hex('ff')), octets(sequence(der(0x01, hex('ff')))));
  const place = isIPv4(server)
    ? der(0x87, Buffer.from(server.split('.').map(Number)))
    : der(0x82, Buffer.from(server));
  const alternative = sequence(oid('551d11'), octets(sequence(place)));
  const signed = sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, hex('01')),
    ecdsaWithSha256,
    name,
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z'))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(isAuthority, alternative)),
  );
  const signature = createSign('sha256').update(signed).sign(privateKey);
  const whole = sequence(signed, ecdsaWithSha256, der(0x03, hex('00'), signature));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trim();
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
