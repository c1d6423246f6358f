import { parseSchedule, type ScheduleExpression } from './schedule-expression.ts';

/** What a schedule starts. */
export interface ScheduleTarget {
  readonly arn: string;
  /** A constant body, or nothing for the standard event. */
  readonly input: string | undefined;
}

/** A schedule of the template. */
export interface ScheduleSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  readonly enabled: boolean;
  readonly region: string;
  readonly accountId: string;
  readonly targets: readonly ScheduleTarget[];
}

/** Fires its targets on time, and whenever it is told to. */
export class Schedule {
  readonly spec: ScheduleSpec;
  readonly #expression: ScheduleExpression;
  readonly #deliver: (arn: string, body: string) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  constructor(spec: ScheduleSpec, deliver: (arn: string, body: string) => Promise<void>) {
    this.spec = spec;
    this.#expression = parseSchedule(spec.expression);
    this.#deliver = deliver;
  }

  /**
   * Starts the clock: `speed` 1 is real time, 60 makes a second of a minute, 0 never fires by itself. As on AWS, the
   * first time is one interval from now.
   */
  start(speed: number): void {
    if (speed <= 0 || !this.spec.enabled) return;
    const began = Date.now();
    let last = began;
    const virtualNow = (): number => began + (Date.now() - began) * speed;
    const expression = this.#expression;
    if (expression.kind === 'rate') {
      this.#timer = setInterval(() => void this.fire().catch(() => undefined), expression.everyMs / speed);
      return;
    }
    // The clock may have passed several minutes at once: each is looked at, none twice.
    this.#timer = setInterval(
      () => {
        for (let minute = nextMinute(last); minute <= virtualNow(); minute += 60_000) {
          last = minute;
          if (expression.fires(new Date(minute))) void this.fire().catch(() => undefined);
        }
      },
      Math.min(1000, 60_000 / speed),
    );
  }

  /** Starts every target now; resolves once each has been handed its event. */
  async fire(): Promise<void> {
    const { arn, region, accountId, targets } = this.spec;
    const event = JSON.stringify({
      version: '0',
      id: crypto.randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: accountId,
      time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      region,
      resources: [arn],
      detail: {},
    });
    await Promise.all(targets.map((target) => this.#deliver(target.arn, target.input ?? event)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function nextMinute(after: number): number {
  return (Math.floor(after / 60_000) + 1) * 60_000;
}
