import type { Settings } from '../../shared/workflow/services.ts';

const minuteMs = 60_000;

/** As in a stage that nobody has tuned. */
export const scalingBounds: Settings['scaling'] = {
  all: { least: 50, most: 1_000, gradient: 25, stepMs: 55_000, cooldownMs: 30 * minuteMs },
  zone: { least: 25, most: 1_000, gradient: 10, stepMs: 55_000, cooldownMs: 30 * minuteMs },
  host: { least: 1, most: 1_000, gradient: 1, stepMs: 55_000, cooldownMs: 5 * minuteMs },
};
