import { StepFailure } from '../../shared/domain/failure.ts';
import type { Secrets } from '../../shared/ports/secrets.ts';

/** Secrets in memory, by reference. */
export function createMemorySecrets(secrets: ReadonlyMap<string, string>): Secrets {
  return {
    async fetch(reference) {
      await Promise.resolve();
      const secret = secrets.get(reference);
      if (secret !== undefined) return secret;
      throw new StepFailure(
        { code: 'secret-missing', sentence: `there is no secret "${reference}"`, cure: 'create it first' },
        'fail',
      );
    },
  };
}
