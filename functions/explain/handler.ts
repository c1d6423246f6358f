import { readHandler } from '../../shared/runtime/read-handler.ts';
import { readServices } from '../../shared/runtime/read-services.ts';
import { explainNamed } from '../../shared/workflow/explain/explain-named.ts';

export const handler = readHandler((kind, id) => explainNamed(readServices(), kind, id));
