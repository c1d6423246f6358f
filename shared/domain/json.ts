/** Any value that survives a trip through JSON. Rows, messages and claim checks hold nothing else. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
