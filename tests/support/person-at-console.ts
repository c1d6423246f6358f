import type { Page } from 'playwright-core';

/**
 * Gives a command in the console as a person does: reads what it will do, tries without a reason, then gives one.
 * The dialog stays, with what has become of it.
 *
 * @param patienceMs for whatever goes through functions and queues
 */
export async function giveCommand(
  tab: Page,
  verb: string,
  reason: string,
  patienceMs: number,
): Promise<void> {
  const button = tab.getByRole('button', { name: `${verb} …` });
  await button.waitFor({ timeout: patienceMs });
  await button.focus();
  await tab.keyboard.press('Enter');
  const dialog = tab.getByRole('dialog');
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.getByRole('alert').getByText('Give a reason').waitFor();
  await dialog.getByLabel('Reason').fill(reason);
  await tab.keyboard.press('Enter');
  await dialog.getByText('✓ Accepted.').waitFor({ timeout: patienceMs });
}
