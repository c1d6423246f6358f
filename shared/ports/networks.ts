import type { LookupFunction } from 'node:net';

/**
 * Where hosts may be: whoever may publish the address of a host must not be able to have a function connect to
 * whatever else its network reaches.
 */
export interface HostNetworks {
  /**
   * Of a name nothing is known before it has been looked up. What a resolver may take for an address, and is not
   * written as one (`0xa9fea9fe`, `10.1`), is no name.
   * @param host a name or an address, an IPv6 address with or without brackets
   * @throws StepFailure `host-address-refused`
   */
  assertAdmits(host: string): void;
  /**
   * For the socket that is about to connect, so that what was looked at is what is connected to: a name as its
   * addresses where hosts may be. Fails with `host-address-refused` when there is none.
   */
  readonly lookup: LookupFunction;
}
