import type { Refusal } from '../domain/event.ts';
import type { ManifestObject, ManifestTerms } from '../domain/manifest.ts';

/** An object that was put, and what its metadata says. */
export interface OpenManifest {
  readonly bytes: number;
  readonly terms:
    | { readonly kind: 'terms'; readonly terms: ManifestTerms }
    | { readonly kind: 'refused'; readonly refusal: Refusal };
  /**
   * Its content, some at a time, all of it of the same putting.
   * @throws StepFailure `manifest-changed`, `manifest-gone` when it was put again or deleted meanwhile
   */
  chunks(): AsyncIterable<Uint8Array>;
}

/** The bucket into which publishers put their manifests. */
export interface Manifests {
  /** @throws StepFailure `manifest-changed`, `manifest-gone`; StoreUnavailable */
  open(object: ManifestObject): Promise<OpenManifest>;
}
