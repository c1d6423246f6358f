import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Chance } from '../ports/clock.ts';

const fractionBytes = 6;

/** The machine's chance. */
export const machineChance: Chance = {
  fraction: () => randomBytes(fractionBytes).readUIntBE(0, fractionBytes) / 2 ** (8 * fractionBytes),
  unique: () => randomUUID(),
  digest: (...parts) => {
    const hash = createHash('sha256');
    // Each part behind its length, so that ('ab', 'c') and ('a', 'bc') differ.
    for (const part of parts) hash.update(`${String(Buffer.byteLength(part))}:${part}`);
    return hash.digest('hex');
  },
};
