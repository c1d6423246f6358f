import { writeMessage } from '../../shared/contracts/messages.ts';
import type { Notification } from '../../shared/domain/notification.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Announcement, Bus } from '../../shared/ports/bus.ts';
import type { Clock } from '../../shared/ports/clock.ts';

export interface Sent {
  /** `plan`, `dispatch`, `host-sweep`, or the phase of work. */
  readonly queue: string;
  readonly text: string;
  /** Not to be delivered before this time. */
  readonly at: number;
}

const longestDelayMs = 900_000;

/** A bus in memory. Messages lie in `sent`, announcements in `announced`, news in `notified`,
 * what was posted in `published`, until a test takes them. */
export class MemoryBus implements Bus {
  readonly sent: Sent[] = [];
  readonly announced: Announcement[] = [];
  readonly notified: Notification[] = [];
  readonly published: RequestRecord[] = [];
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  async sendWork(message: Parameters<Bus['sendWork']>[0], afterMs: number): Promise<void> {
    await this.#send(message.phase, message, afterMs);
  }
  async sendPlan(message: Parameters<Bus['sendPlan']>[0], afterMs = 0): Promise<void> {
    await this.#send('plan', message, afterMs);
  }
  async sendDispatch(message: Parameters<Bus['sendDispatch']>[0], afterMs = 0): Promise<void> {
    await this.#send('dispatch', message, afterMs);
  }
  async sendHostSweep(host: string): Promise<void> {
    await this.#send('host-sweep', { host }, 0);
  }
  async announce(announcements: readonly Announcement[]): Promise<void> {
    await Promise.resolve();
    this.announced.push(...announcements);
  }
  async publish(requests: readonly RequestRecord[]): Promise<void> {
    await Promise.resolve();
    this.published.push(...requests);
  }
  async notify(notifications: readonly Notification[]): Promise<void> {
    await Promise.resolve();
    this.notified.push(...notifications);
  }

  async #send(queue: string, message: object, afterMs: number): Promise<void> {
    await Promise.resolve();
    const delay = Math.min(longestDelayMs, Math.max(0, Math.ceil(afterMs / 1_000) * 1_000));
    this.sent.push({ queue, text: writeMessage(message), at: this.#clock.now() + delay });
  }
}
