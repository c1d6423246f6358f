/** A statement of which no suite makes use in every run, and why the role has it all the same. */
export interface Exception {
  readonly role: string;
  readonly statement: string;
  readonly reason: string;
}

const tooLarge =
  'what a step hands on is put there when it is too large for its row: of schemas larger than a suite makes';

export const exceptions: readonly Exception[] = [
  { role: 'TransferEndpointRole', statement: 'Claims', reason: tooLarge },
  { role: 'CutOverEndpointRole', statement: 'Claims', reason: tooLarge },
  { role: 'RetireSourceRole', statement: 'Claims', reason: tooLarge },
  { role: 'RollBackMoveRole', statement: 'Claims', reason: tooLarge },
  {
    role: 'SweepRowsRole',
    statement: 'Claims',
    reason:
      'a failed host is emptied by a batch of its own after its grace period: npm run fleet-demo plays it',
  },
  {
    role: 'SweepRowsRole',
    statement: 'Announce',
    reason: 'where an endpoint is, is told by the sweep only when the stream has lost it',
  },
  {
    role: 'SweepRowsRole',
    statement: 'PublishPostings',
    reason: 'what was posted to the API is published by the sweep only when the stream has lost it',
  },
  {
    role: 'SweepHostRole',
    statement: 'WriteRows',
    reason: 'something has to be left on a host, by a process that was killed at the wrong moment',
  },
];
