import { createS3Client } from '../aws/clients.ts';
import { createManifests } from '../aws/manifests.ts';
import type { Manifests } from '../ports/manifests.ts';
import { platform } from './platform.ts';
import { services, type SharedServices } from './services.ts';

type ManifestServices = SharedServices & { readonly manifests: Manifests; readonly manifestsBucket: string };

let made: ManifestServices | undefined;

/** What the function that reads manifests works with: the bucket that others write to, beside all the rest. */
export function manifestServices(): ManifestServices {
  made ??= makeServices();
  return made;
}

function makeServices(): ManifestServices {
  const { config } = platform();
  const client = createS3Client({ local: config.isEmbedded });
  return {
    ...services(),
    manifests: createManifests({ client }),
    manifestsBucket: config.MANIFESTS_BUCKET,
  };
}
