/** In how many parts a list is split that is written by everybody and read by few. */
export const shardCount = 16;
export const shards: readonly string[] = Array.from({ length: shardCount }, (_, index) =>
  String(index).padStart(2, '0'),
);

/** The shard of an identity, the same for ever: FNV-1a, folded. */
export function shardOf(identity: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < identity.length; index += 1) {
    hash = Math.imul(hash ^ identity.charCodeAt(index), 0x01000193);
  }
  return String(((hash >>> 16) ^ (hash & 0xffff)) % shardCount).padStart(2, '0');
}
