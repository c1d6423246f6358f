/** A request as it came over the wire. */
export interface ApiRequest {
  readonly method: string;
  /** Without the stage, as it was sent: still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}
