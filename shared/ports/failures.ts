/** The table, queue or bucket did not answer or asked us to slow down: nobody's fault, and nothing is known. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** A row does not keep its contract: written by another version, or by hand. It will not become readable by itself. */
export class RowUnreadable extends Error {
  override readonly name = 'RowUnreadable';
  readonly code = 'row-unreadable';
}
