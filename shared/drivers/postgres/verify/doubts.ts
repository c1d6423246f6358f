import * as z from 'zod';
import { StepFailure } from '../../../domain/failure.ts';
import type { Session } from '../connection.ts';
import { quoteQualified } from '../identifiers.ts';
import { verifyReport } from './online.ts';
import type { Differences, VerifyReport } from './online.ts';

const noted = (schema: string): string => quoteQualified(schema, 'verified');

/** Writes down in the target how the comparison has ended, beside the markers: a later worker reads it there. */
export async function noteReport(target: Session, schema: string, report: VerifyReport): Promise<void> {
  await target.execute(
    `CREATE TABLE IF NOT EXISTS ${noted(schema)} (id int PRIMARY KEY, report jsonb NOT NULL)`,
  );
  await target.execute(
    `INSERT INTO ${noted(schema)} VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET report = excluded.report`,
    [JSON.stringify(report)],
  );
}

/**
 * What the online comparison left for the freeze.
 * @param database as its owner knows it
 * @throws StepFailure `not-verified`
 */
export async function readDoubts(target: Session, schema: string, database: string): Promise<Differences> {
  const row = await target.maybeOne(
    `SELECT report FROM ${noted(schema)} WHERE id = 1`,
    [],
    z.object({ report: verifyReport }),
  );
  if (row !== undefined) return row.report.left;
  throw new StepFailure(
    {
      code: 'not-verified',
      sentence: `The copy of "${database}" was not compared with its source.`,
      cure: 'It is compared again by itself.',
    },
    'retry',
  );
}
