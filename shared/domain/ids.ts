/**
 * Identities. Each is a branded string, made and parsed here only, so that a batch's id can never be handed
 * over where a move's is meant.
 *
 * Ids are derived from a digest of what they stand for wherever a repeat must find the first one again:
 * the same request makes the same batch, the same batch and endpoint the same move.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type BatchId = Branded<'BatchId'>;
export type MoveId = Branded<'MoveId'>;
/** What publishers and operators call an endpoint: unique in an installation, stable across moves. */
export type EndpointName = Branded<'EndpointName'>;
export type HostName = Branded<'HostName'>;

/** Names go into queue messages, URLs and object names on hosts: letters, digits, dot, dash, underscore. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const nameRule = 'starts with a letter or digit, then letters, digits, ".", "_" or "-"; at most 100';

/** Names of labels. */
export const labelPattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;

export const batchIdPattern = /^bt_[0-9a-z]{20}$/;
export const moveIdPattern = /^mv_[0-9a-z]{16}$/;

export const isBatchId = (text: string): text is BatchId => batchIdPattern.test(text);
export const isMoveId = (text: string): text is MoveId => moveIdPattern.test(text);
export const isEndpointName = (text: string): text is EndpointName => namePattern.test(text);
export const isHostName = (text: string): text is HostName => namePattern.test(text);

/** @throws RangeError when `text` is no such id; callers at a wall use the contracts, which name the field. */
function parse<Id extends string>(is: (text: string) => text is Id, kind: string) {
  return (text: string): Id => {
    if (is(text)) return text;
    throw new RangeError(`"${text.slice(0, 120)}" is no ${kind}`);
  };
}
export const batchId = parse(isBatchId, 'batch id');
export const moveId = parse(isMoveId, 'move id');
export const endpointName = parse(isEndpointName, `endpoint name (${nameRule})`);
export const hostName = parse(isHostName, `host name (${nameRule})`);

/** @param digest at least 20 lower-case hexadecimal digits that stand for the request */
export const batchIdFrom = (digest: string): BatchId => batchId(`bt_${digest.slice(0, 20)}`);
/** @param digest at least 16 lower-case hexadecimal digits that stand for batch and endpoint */
export const moveIdFrom = (digest: string): MoveId => moveId(`mv_${digest.slice(0, 16)}`);
