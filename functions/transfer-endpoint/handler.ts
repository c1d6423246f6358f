export { workHandler as handler } from '../../shared/runtime/work-handler.ts';
