/** What can go wrong with the embedded cloud, by name. */
export type CloudErrorCode =
  | 'BinaryMissing'
  | 'CloudAlreadyRunning'
  | 'CloudStartFailed'
  | 'CloudStopped'
  | 'ConsoleNotBuilt'
  | 'FunctionUnknown'
  | 'NodeTooOld'
  | 'PackagingFailed'
  | 'PortTaken'
  | 'ResourceRefused'
  | 'ScheduleUnknown'
  | 'ServiceRefused'
  | 'TemplateUnreadable'
  | 'TemplateUnresolvable';

/** A failure of the embedded cloud: a stable code and a sentence with the cause and the cure. */
export class CloudError extends Error {
  readonly code: CloudErrorCode;

  constructor(code: CloudErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CloudError';
    this.code = code;
  }
}

/** The code of a thrown value when it has one (`EADDRINUSE`, `ENOENT`…). */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
