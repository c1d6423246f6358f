import { removals } from '../removal.ts';

const dispatch = { invariant: 6, test: 'tests/unit/dispatch.test.ts' } as const;
const rooms = { ...dispatch, file: 'shared/domain/rooms.ts' } as const;
const scaling = { invariant: 3, test: 'tests/unit/scaling-loop.test.ts' } as const;

/** What keeps moves within their limits, and the autoscaler to what alarms have really said. */
export const admissionRemovals = [
  ...removals(rooms, [
    {
      name: 'full-host-blocks',
      enforces:
        'A move takes a permit on one host only where the other seems to have room too: a full or failing host holds up no moves but its own.',
      symbol: 'fits',
      from: 'this.#roomsOf(mover)?.every((room) => hasRoom(room, mover.id)) ?? false',
      to: 'this.#roomsOf(mover)?.slice(0, 1).every((room) => hasRoom(room, mover.id)) ?? false',
      testName: 'the dispatcher lets moves that wait for a full host hold up no others',
    },
    {
      name: 'limit-of-zones',
      enforces: 'No more moves have one zone at either end than the knobs and the autoscaler allow.',
      symbol: '#roomsOf',
      from: '...[...zones].map((zone) => this.#zone(zone)),',
      to: '',
      testName: 'the dispatcher lets no more moves go at once in a zone than the knobs say',
    },
    {
      name: 'limit-in-all',
      enforces: 'No more moves are under way in all.',
      symbol: '#roomsOf',
      from: 'this.#batch(batch),\n      this.#all,',
      to: 'this.#batch(batch),',
      testName: 'the dispatcher lets no more moves go at once in all than the knobs say',
    },
    {
      name: 'limit-of-batches',
      enforces: 'No more moves of one batch are under way.',
      symbol: '#roomsOf',
      from: 'this.#batch(batch),\n      this.#all,',
      to: 'this.#all,',
      testName: 'the dispatcher lets no more moves go at once of a batch than the knobs say',
    },
  ]),
  {
    ...dispatch,
    name: 'spared-host',
    enforces: 'A host that is spared gives out no more permits than it has for the time being.',
    file: 'shared/domain/host.ts',
    symbol: 'permitsOf',
    from: 'return Math.min(most, host.throttle?.[side] ?? most);',
    to: 'return host.throttle === undefined ? most : Math.max(most, 0);',
    testName: 'the dispatcher gives no more permits than a spared host has for the time being',
  },
  {
    ...dispatch,
    name: 'starts-in-a-minute',
    enforces: 'No more moves begin in a minute than the knobs allow.',
    file: 'shared/domain/pace.ts',
    symbol: 'startsLeft',
    from: 'return Math.max(0, perMinute - (now - minute < minuteMs ? starts : 0));',
    to: 'return now - minute < 0 ? starts : perMinute;',
    testName: 'the dispatcher lets no more moves go at once in a minute than the knobs say',
  },
  {
    ...dispatch,
    name: 'chosen-in-mind',
    enforces: 'A look keeps in mind what an earlier one has chosen and hosts do not show yet.',
    file: 'shared/workflow/admission/look.ts',
    symbol: 'lookAtRooms',
    from: 'for (const granted of earlier) rooms.take(granted);',
    to: '',
    testName: 'the dispatcher keeps in mind what another look has chosen and not taken yet',
  },
  {
    ...dispatch,
    name: 'set-back-begun',
    enforces: 'A move waits again for a more urgent one only while nothing of it stands on any host.',
    file: 'shared/domain/transitions.ts',
    symbol: 'mayBeSetBack',
    from: 'hasLeftNothing(shape, status.step) &&',
    to: '',
    testName:
      'the dispatcher for a move off a failed host leaves alone what has something on a host (in copy)',
  },
  {
    name: 'set-back-halfway',
    invariant: 6,
    enforces: 'A move that waits again gives back both its permits with the commit that says so.',
    file: 'shared/aws/permits.ts',
    symbol: 'setBack',
    from: "{ Update: returned(before.target, 'in', before.id) },",
    to: '',
    test: 'tests/conformance/permits.test.ts',
    testName:
      'permits on dynoxide of a move that waits again are given back with the commit that says so, or not at all',
  },
  {
    ...scaling,
    name: 'alarm-late',
    enforces: 'News of an alarm that is older than what is known of it, or the same, changes nothing.',
    file: 'shared/domain/scaling.ts',
    symbol: 'hearAlarm',
    from: 'if (known !== undefined && known.at >= heard.at) return undefined;',
    to: 'if (known !== undefined && known.at > heard.at + 1e12) return undefined;',
    testName:
      'the autoscaler refuses news that is late, repeated, forged, of the future or of nothing that it knows: counted, kept, and without consequence',
  },
  {
    ...scaling,
    name: 'alarm-forged',
    enforces:
      'News of an alarm counts only where account, ARN, metric and dimensions say what its name says.',
    file: 'shared/contracts/events/alarm-notification.ts',
    symbol: 'parseAlarm',
    from: "if (forged !== undefined) return { kind: 'refused', head, refusal: forgery(forged) };",
    to: "if (forged === '') return { kind: 'refused', head, refusal: forgery(forged) };",
    testName:
      'the autoscaler refuses news that is late, repeated, forged, of the future or of nothing that it knows: counted, kept, and without consequence',
  },
] as const;
