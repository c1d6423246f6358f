import { parseManifestNotices } from '../../shared/contracts/manifests/notice.ts';
import { manifestServices } from '../../shared/runtime/manifest-services.ts';
import { textQueueHandler } from '../../shared/runtime/queue-handler.ts';
import { ingestManifest } from '../../shared/workflow/manifests/ingest-manifest.ts';

export const handler = textQueueHandler(async (text) => {
  const services = manifestServices();
  for (const notice of parseManifestNotices(text, services.manifestsBucket))
    await ingestManifest(services, notice);
});
