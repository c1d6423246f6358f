import type { Json } from '../../../domain/json.ts';
import type { StepEnd } from '../../../ports/driver.ts';
import type { MoveContext } from '../context.ts';

export class OfflineCopy {
  readonly context: MoveContext;
  constructor(context: MoveContext) {
    this.context = context;
  }
  run(_progress: Json | undefined): Promise<StepEnd> {
    return Promise.resolve({ kind: 'done' });
  }
  confirm(): Promise<Json> {
    return Promise.resolve(null);
  }
}
