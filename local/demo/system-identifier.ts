/** The number that PostgreSQL tells one cluster from another by. */
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** In the first page of a segment of WAL; source: `XLogLongPageHeaderData`. */
const SEGMENT_OFFSET = 24;

/**
 * Gives the copy of a stopped cluster, which else would pass for the one that it was copied from, a system identifier
 * of its own. It is made as initdb makes it: of the time, and of chance where that takes the number of its process.
 */
export function renewSystemIdentifier(data: string): void {
  const now = Date.now();
  const seconds = BigInt(Math.floor(now / 1000));
  const micros = BigInt(now % 1000) * 1000n;
  const identifier = (seconds << 32n) | (micros << 12n) | BigInt(randomInt(0x1000));

  const control = path.join(data, 'global', 'pg_control');
  const bytes = readFileSync(control);
  const checksumAt = checksumOffset(bytes);
  bytes.writeBigUInt64LE(identifier);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, checksumAt)), checksumAt);
  writeFileSync(control, bytes);

  const segment = path.join(data, 'pg_wal', '000000010000000000000001');
  const wal = readFileSync(segment);
  wal.writeBigUInt64LE(identifier, SEGMENT_OFFSET);
  writeFileSync(segment, wal);
}

/** Where it stands depends on the major: it is the first number that is the checksum of all before it. */
function checksumOffset(control: Buffer): number {
  for (let at = 8; at < 512; at += 4) {
    if (control.readUInt32LE(at) === crc32c(control.subarray(0, at))) return at;
  }
  throw new Error('no checksum is found in pg_control');
}

/** Castagnoli's, which node:zlib does not have. */
function crc32c(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0x82f6_3b78 : sum >>> 1;
  }
  return (sum ^ 0xffff_ffff) >>> 0;
}
