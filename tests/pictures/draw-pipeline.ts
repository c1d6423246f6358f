import { instance } from '@viz-js/viz';
import { pipelineOf, type Resources } from './pipeline.ts';

/** The pipeline of a packaged template, as an SVG: the same template is the same text. */
export async function drawPipeline(resources: Resources): Promise<string> {
  return (await instance()).renderString(pipelineOf(resources), { format: 'svg' });
}
