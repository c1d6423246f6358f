import type { Command } from 'commander';
import { textOf, type Notification } from '../../shared/domain/notification.ts';
import type { Client } from '../client.ts';
import { jsonOption, spanOption } from '../options.ts';
import { pastHours } from '../past-hours.ts';
import { showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { styled } from '../text.ts';

export function addNotifications(program: Command, session: Session): void {
  program
    .command('notifications')
    .summary('what people were told: stuck moves, finished batches, what waits for somebody')
    .description('What people were told, by the topic for notifications too, newest first.')
    .addOption(spanOption())
    .addOption(jsonOption())
    .action(async ({ since, json = false }: { readonly since: number; readonly json?: boolean }) => {
      const { terminal } = session;
      const notifications = await notificationsSince(await session.client(), since);
      if (json) {
        terminal.json({ notifications: notifications.map(reportOf) });
        return;
      }
      if (notifications.length === 0)
        terminal.line(`Nobody was told anything in the last ${showDuration(since)}.`);
      for (const notification of notifications) {
        const { at, subject, toldAt } = notification;
        terminal.line([
          `${new Date(at).toISOString()}  `,
          styled('strong', subject),
          toldAt === undefined ? styled('attention', '  not sent yet') : '',
        ]);
        for (const line of textOf(notification).split('\n')) terminal.line(line === '' ? '' : `  ${line}`);
      }
    });
}

async function notificationsSince(client: Client, sinceMs: number): Promise<readonly Notification[]> {
  const keys = await pastHours(client.clock, sinceMs, (hour, cursor) =>
    client.views.notificationsAt(hour, cursor),
  );
  return (await client.store.loadMany('news', keys)).flatMap((found) => found ?? []);
}

function reportOf({ id, kind, subject, what, why, next, about, at, toldAt }: Notification) {
  return {
    id,
    kind,
    subject,
    what,
    why,
    next,
    about,
    at: new Date(at).toISOString(),
    sentAt: toldAt === undefined ? null : new Date(toldAt).toISOString(),
  };
}
