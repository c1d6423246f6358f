import { z } from 'zod';

/** Environment variable that carries the messaging server's settings, as JSON. */
export const MESSAGING_SETTINGS = 'DRAYAGE_LOCAL_MESSAGING';

export const messagingSettings = z.object({ port: z.number(), dataDir: z.string(), region: z.string() });

const objectChange = z.object({
  kind: z.literal('object'),
  event: z.enum([
    'ObjectCreated:Put',
    'ObjectCreated:Copy',
    'ObjectCreated:CompleteMultipartUpload',
    'ObjectRemoved:Delete',
  ]),
  bucket: z.string(),
  key: z.string(),
  size: z.number(),
  etag: z.string(),
});

/** An object that was created or removed, told by the S3 server right after it answered. */
export type ObjectChange = z.infer<typeof objectChange>;

/** What the messaging server tells the engine. */
export const messagingReport = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('failed'), code: z.string().optional(), message: z.string() }),
  objectChange,
]);

/** What the engine tells the messaging server: end every long poll now and let none wait (`release`), or do (`resume`). */
export const messagingOrder = z.object({ kind: z.enum(['release', 'resume']) });
