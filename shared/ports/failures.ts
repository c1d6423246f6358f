/** The table, queue or bucket did not answer or asked us to slow down: nobody's fault, and nothing is known. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
