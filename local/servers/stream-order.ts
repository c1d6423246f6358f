import { DatabaseSync } from 'node:sqlite';

/**
 * Gives dynoxide's list of changes the index that it lacks. Without it each write looks through every change that
 * was ever made for the highest number, and each read of a stream as well: 20 ms of CPU a write after 16,000
 * changes, against 1 ms with it.
 *
 * @param file the database of a dynoxide that serves; a version of another layout is left as it is
 */
export function indexChanges(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = '_stream_records'").get();
    if (found === undefined) return;
    database.exec(
      'CREATE INDEX IF NOT EXISTS drayage_stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))',
    );
  } finally {
    database.close();
  }
}
