import { describe, expect, test } from '@jest/globals';
import { StepFailure } from '../../shared/domain/failure.ts';
import { conninfo } from '../../shared/drivers/postgres/connection.ts';
import { hasSqlState, postgresFailure, redact } from '../../shared/drivers/postgres/failures.ts';
import {
  fitsName,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
} from '../../shared/drivers/postgres/identifiers.ts';

const context = { server: 'db1:5432', database: 'shop', user: 'mover' };
const failed = (code: string, message = 'words'): Error => Object.assign(new Error(message), { code });

describe('failures', () => {
  test.each([
    ['ECONNREFUSED', '', 'host-unreachable', 'host-down'],
    ['ETIMEDOUT', '', 'host-timeout', 'host-down'],
    ['ENOTFOUND', '', 'host-name-unknown', 'retry'],
    ['ECONNRESET', '', 'connection-lost', 'retry'],
    ['SELF_SIGNED_CERT_IN_CHAIN', '', 'tls-certificate', 'fail'],
    ['28P01', '', 'wrong-password', 'fail'],
    ['28000', 'no pg_hba.conf entry for host', 'access-refused', 'fail'],
    ['3D000', '', 'database-missing', 'fail'],
    ['55000', 'database "x" is not currently accepting connections', 'database-closed', 'retry'],
    ['55P03', '', 'lock-timeout', 'retry'],
    ['57014', 'canceling statement due to statement timeout', 'statement-timeout', 'retry'],
    ['57P01', '', 'session-terminated', 'retry'],
    ['57P03', 'the database system is starting up', 'server-not-ready', 'host-down'],
    ['53100', '', 'disk-full', 'fail'],
    ['53300', '', 'too-many-connections', 'retry'],
    ['53400', 'all replication slots are in use', 'replication-slots-exhausted', 'retry'],
    ['40P01', '', 'deadlock', 'retry'],
    ['42501', 'permission denied for table x', 'privilege-missing', 'fail'],
    ['42P07', '', 'object-exists', 'fail'],
    ['25006', '', 'read-only', 'fail'],
    ['XX000', '', 'database-error', 'retry'],
  ])('%s %s is %s: %s', (code, message, expected, verdict) => {
    const failure = postgresFailure(failed(code, message), context);
    expect(failure).toBeInstanceOf(StepFailure);
    expect(failure).toMatchObject({ verdict, failure: { code: expected } });
    expect(failure.failure.sentence).toContain('db1:5432');
    expect(failure.failure.cure).not.toBe('');
  });

  test('a time-out of the client library means that the state is unknown', () => {
    expect(postgresFailure(new Error('timeout expired'), context)).toMatchObject({ verdict: 'host-down' });
  });

  test('a name with several addresses fails as its first address does', () => {
    const all = new AggregateError([failed('ECONNREFUSED'), failed('EHOSTUNREACH')]);
    expect(postgresFailure(all, context).failure.code).toBe('host-unreachable');
  });

  test('SQLSTATEs can be asked for, and a failure passes through unchanged', () => {
    const failure = postgresFailure(failed('42710'), context);
    expect(hasSqlState(failure, '42P07', '42710')).toBe(true);
    expect(hasSqlState(failure, '42P07')).toBe(false);
    expect(postgresFailure(failure, context)).toBe(failure);
  });

  test('neither secrets nor a tenant’s values are shown, nor kept in the cause', () => {
    const secret = Object.assign(new Error(`invalid input syntax for type integer: "4711 Elm Street"`), {
      code: '22P02',
      detail: 'Key (mail)=(a@b) already exists.',
    });
    const failure = postgresFailure(secret, context);
    expect(failure.failure.sentence).not.toContain('Elm');
    expect(failure.cause).toBeInstanceOf(Error);
    const shown =
      failure.cause instanceof Error ? `${failure.cause.message} ${failure.cause.stack ?? ''}` : '';
    expect(shown).not.toMatch(/Elm|a@b/);
    expect(shown).toContain('postgres-failures.test');
  });

  test.each([
    [`could not connect: host=db password='s3 cr''et' user=x`, 's3'],
    ['conninfo host=db password=s3cret user=x', 's3cret'],
    ['postgres://mover:s3cret@db:5432/x is wrong', 's3cret'],
    [`CREATE ROLE a PASSWORD 's3cret'`, 's3cret'],
    [`OPTIONS (user 'u', password 's3cret')`, 's3cret'],
    ['verifier SCRAM-SHA-256$4096:abc=$def=:ghi=', 'abc'],
    ['verifier md50123456789abcdef0123456789abcdef', '0123456789abcdef'],
  ])('%s is redacted', (said, secret) => {
    expect(redact(said)).not.toContain(secret);
  });

  test('the name of a role stays readable beside the word password', () => {
    expect(redact('password authentication failed for user "mover"')).toBe(
      'password authentication failed for user "mover"',
    );
  });
});

describe('names and literals', () => {
  test('quotes are doubled, and NUL is refused', () => {
    expect(quoteQualified('we ird', 'a"b')).toBe('"we ird"."a""b"');
    expect(quoteLiteral(`it's`)).toBe(`'it''s'`);
    expect(quoteLiteral('a\\b')).toBe(`E'a\\\\b'`);
    expect(() => quoteIdentifier('a\0b')).toThrow(RangeError);
    expect(() => quoteLiteral('a\0b')).toThrow(RangeError);
  });

  test('a name is measured in bytes', () => {
    expect(fitsName('x'.repeat(63))).toBe(true);
    expect(fitsName('ü'.repeat(32))).toBe(false);
  });

  test('a connection string survives quotes and backslashes in its values', () => {
    const info = conninfo(
      { host: 'db', port: 5432, user: "o'n\\e", password: "p' w\\", tls: 'disable' },
      { database: 'a b', applicationName: 'x' },
    );
    expect(info).toContain(`user='o\\'n\\\\e'`);
    expect(info).toContain(`password='p\\' w\\\\'`);
    expect(info).toContain(`dbname='a b'`);
  });
});
