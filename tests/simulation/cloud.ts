import type { Change } from '../../shared/workflow/relay-changes.ts';
import type { Invocation, Services } from '../../shared/workflow/services.ts';
import type { Sent } from '../support/memory-bus.ts';
import { deployments, isQueueName, type Delivery, type FunctionName, type QueueName } from './functions.ts';
import type { Generation } from './generation.ts';
import type { Backing } from './ports.ts';
import { Process, type Surroundings } from './process.ts';

interface Message extends Delivery {
  readonly nth: number;
  readonly isOurs: boolean;
  received: number;
}

const isOurs = (queue: QueueName): boolean => queue !== 'requests' && queue !== 'host-changes';

/** After so many deliveries in vain a message is set aside. */
const mostDeliveries = 5;
/** After so many attempts a batch of changes is set aside. */
const mostRelays = 10;
const visibilityMarginMs = 2_000;

/**
 * The platform: queues that deliver at least once and in any order, a stream that delivers in order, a schedule,
 * and a process for each invocation.
 */
export class Cloud {
  readonly processes = new Set<Process>();
  readonly deadLetters: { readonly queue: QueueName; readonly message: Message }[] = [];
  /** Called when an invocation leaves something running. */
  onLeftRunning: (what: string) => void = () => undefined;
  readonly #around: Surroundings;
  readonly #backing: Backing;
  readonly #deployed: () => Generation;
  readonly #ready = new Map<QueueName, Message[]>();
  /** Messages in queues or in somebody's hands. */
  readonly #kept = new Set<Message>();
  #messages = 0;
  #started = 0;
  #skewMs: number;
  readonly #changes: Change[] = [];
  #isRelaying = false;
  #hasStream = true;
  #isSweeping = true;

  /** @param deployed the release of which the next process is */
  constructor(
    around: Surroundings,
    backing: Omit<Backing, 'onSent'>,
    skewMs: number,
    deployed: () => Generation,
  ) {
    this.#around = around;
    this.#deployed = deployed;
    this.#skewMs = skewMs;
    this.#backing = {
      ...backing,
      onSent: () => {
        for (const sent of backing.bus.sent.splice(0)) this.#take(sent);
      },
    };
  }

  /** Nothing is under way and nothing is left to relay. */
  get isIdle(): boolean {
    return this.#kept.size === 0 && this.#changes.length === 0 && this.processes.size === 0;
  }

  get messagesUnderWay(): number {
    return this.#kept.size;
  }

  /** A message from a topic of the world's. */
  publish(queue: 'requests' | 'host-changes', text: string): void {
    this.#put(queue, text, 0);
  }

  /** The sweeps' schedule, from now on. */
  keepSchedule(everyMs: { readonly rows: number; readonly hosts: number }): void {
    const repeat = (ms: number, what: () => void): void => {
      this.#around.timeline.after(ms, () => {
        if (!this.#isSweeping) return;
        what();
        repeat(ms, what);
      });
    };
    repeat(everyMs.rows, () =>
      this.#start('sweep-rows', ({ sweepRows }, services, turn) => sweepRows(services, turn)),
    );
    repeat(everyMs.hosts, () =>
      this.#start('sweep-hosts', ({ fanOutHostSweep }, services) => fanOutHostSweep(services)),
    );
  }

  endSchedule(): void {
    this.#isSweeping = false;
  }

  /** An operator puts the dead letters back. */
  redrive(): void {
    for (const { queue, message } of this.deadLetters.splice(0)) {
      message.received = 0;
      this.#arrive(queue, message, 0);
    }
  }

  /** Deletes every message that was sent by the pipeline itself. A request is its publisher's to repeat. */
  emptyQueues(): void {
    const ours = [...this.#kept].filter((message) => message.isOurs);
    for (const message of ours) this.#kept.delete(message);
    this.#note(`${String(ours.length)} messages are deleted`);
  }

  /** A change of the table. */
  stream(change: Change): void {
    const fault = this.#around.faults.onChange();
    if (fault?.what === 'end') this.#hasStream = false;
    if (fault?.what === 'lose' || !this.#hasStream) {
      this.#note(`the stream loses a change of a ${change.kind}`);
      return;
    }
    this.#changes.push(change);
    if (fault?.what === 'repeat') this.#changes.push(change);
    this.#relaySoon(0);
  }

  #take({ queue, text, at }: Sent): void {
    if (!isQueueName(queue)) throw new RangeError(`there is no queue ${queue}`);
    this.#put(queue, text, at - this.#around.timeline.now);
  }

  #put(queue: QueueName, text: string, delayMs: number): void {
    const { faults, timeline, dice } = this.#around;
    const fault = faults.onMessage(queue);
    const message = (): Message => ({
      text,
      sentAt: timeline.now,
      nth: this.#messages++,
      isOurs: isOurs(queue),
      received: 0,
    });
    if (fault !== undefined) this.#note(`${queue}: ${fault.what} ${text}`);
    if (fault?.what === 'vanish') return;
    const extraMs = fault === undefined || fault.what === 'duplicate' ? 0 : fault.forMs;
    this.#arrive(queue, message(), delayMs + extraMs);
    if (fault?.what !== 'duplicate') return;
    this.#arrive(queue, message(), delayMs + dice.between(0, fault.forMs));
  }

  #arrive(queue: QueueName, message: Message, delayMs: number): void {
    const { timeline, dice } = this.#around;
    this.#kept.add(message);
    timeline.after(delayMs + dice.between(1, 40), () => {
      const ready = this.#ready.get(queue) ?? [];
      this.#ready.set(queue, ready);
      ready.push(message);
      timeline.after(dice.between(0, 20), () => {
        this.#receive(queue);
      });
    });
  }

  #receive(queue: QueueName): void {
    const { dice } = this.#around;
    const ready = (this.#ready.get(queue) ?? []).filter((message) => this.#kept.has(message));
    const taken = dice.shuffle(ready).slice(0, dice.between(1, deployments[queue].batchSize));
    if (taken.length === 0) return;
    this.#ready.set(
      queue,
      ready.filter((each) => !taken.includes(each)),
    );
    for (const message of taken) message.received += 1;
    const open = new Set(taken);
    this.#start(
      queue,
      async ({ handle }, services, invocation) => {
        const failed = await handle(queue, services, taken, invocation);
        for (const message of taken) if (!failed.includes(message)) open.delete(message);
      },
      () => {
        for (const message of taken) if (!open.has(message)) this.#kept.delete(message);
        for (const message of open) if (this.#kept.has(message)) this.#returnLater(queue, message);
      },
    );
    // A poll that took more than its own has left others nothing; one that took less is followed by another.
    if (this.#ready.get(queue)?.length !== 0) {
      this.#around.timeline.after(dice.between(1, 20), () => {
        this.#receive(queue);
      });
    }
  }

  #returnLater(queue: QueueName, message: Message): void {
    if (message.received < mostDeliveries) {
      this.#arrive(queue, message, deployments[queue].timeoutMs + visibilityMarginMs);
      return;
    }
    this.#note(`${queue}: set aside ${message.text}`);
    this.#kept.delete(message);
    this.deadLetters.push({ queue, message });
  }

  #relaySoon(attempt: number): void {
    const { timeline, dice } = this.#around;
    if (this.#isRelaying) return;
    this.#isRelaying = true;
    timeline.after(dice.between(5, attempt === 0 ? 200 : 2_000), () => {
      const batch = this.#changes.slice(0, dice.between(1, deployments.relay.batchSize));
      let isTold = false;
      this.#start(
        'relay',
        async ({ relayChanges }, services) => {
          await relayChanges(services, batch);
          isTold = true;
        },
        () => {
          this.#isRelaying = false;
          if (isTold || attempt >= mostRelays) this.#changes.splice(0, batch.length);
          if (this.#changes.length > 0) this.#relaySoon(isTold ? 0 : attempt + 1);
        },
      );
    });
  }

  /** One invocation, in a process of its own. @param ended called once, however it ends */
  #start(
    fn: FunctionName,
    work: (release: Generation, services: Services, invocation: Invocation) => Promise<void>,
    ended: () => void = () => undefined,
  ): void {
    const { timeline, dice } = this.#around;
    const { timeoutMs, marginMs } = deployments[fn];
    let isEnded = false;
    const end = (): void => {
      if (isEnded) return;
      isEnded = true;
      this.processes.delete(process);
      ended();
    };
    const name = `${fn}#${String(++this.#started)}`;
    const skewMs = dice.between(-this.#skewMs, this.#skewMs);
    const process = new Process(this.#around, { name, fn, skewMs }, end);
    this.processes.add(process);
    const until = timeline.now + timeoutMs;
    const limit = timeline.after(timeoutMs, () => {
      this.#endAtLimit(process);
    });
    const invocation = { owner: name, remainingMs: () => until - marginMs - timeline.now };
    this.#note(`${name} begins`);
    const over = (how: string): void => {
      if (isEnded) return;
      limit.run = undefined;
      this.#note(`${name} ${how}`);
      if (process.timers > 0) this.onLeftRunning(`${name} has ended and left a timer running`);
      end();
      // The platform freezes what has ended, with whatever it still has under way, and may thaw it later.
      process.stop(dice.between(1, 10_000));
    };
    const release = this.#deployed();
    work(release, release.servicesOf(process, this.#backing), invocation).then(
      () => {
        over('ends');
      },
      (error: unknown) => {
        over(`fails: ${error instanceof Error ? error.message : 'unknown'}`);
      },
    );
  }

  /** At its time limit a process is ended; one that stands still gets to run a little when it goes on. */
  #endAtLimit(process: Process): void {
    if (!process.isAlive || !this.processes.has(process)) return;
    if (process.isStopped) {
      this.#around.timeline.after(1_000, () => {
        this.#endAtLimit(process);
      });
      return;
    }
    process.kill('its time is over');
  }

  #note(what: string): void {
    this.#around.trace.add(this.#around.timeline.now, what);
  }
}
