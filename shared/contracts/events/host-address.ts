import * as z from 'zod';

const addressRule = '"host:port", with an IPv6 address in brackets and a port up to 65535';

/** `host:port`. */
export const addressField = z
  .string()
  .max(300, { error: addressRule })
  .regex(/^(?:\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/, { error: addressRule })
  .refine((text) => Number(/:(\d+)$/.exec(text)?.[1] ?? 1) <= 65_535, { error: addressRule });

const urlRule = 'a url such as postgres://mover@db1.example:5432/postgres';
const secretParameters = ['password', 'passfile', 'sslpassword', 'sslkey'];

/** The mover's way into a host. A password in it is refused: rows, events and logs must never hold one. */
export const hostUrlField = z
  .string()
  .max(1_000, { error: urlRule })
  .transform((text, context) => {
    const url = URL.parse(text);
    if (url === null || url.hostname === '' || !isEncoded(url)) {
      context.addIssue({
        code: 'custom',
        message: `It must be ${urlRule}.`,
        params: { code: 'host-url', cure: `Write ${urlRule}.` },
      });
      return z.NEVER;
    }
    if (url.password !== '' || secretParameters.some((name) => url.searchParams.has(name))) {
      context.addIssue({
        code: 'custom',
        message: 'The url holds a password.',
        params: {
          code: 'password-in-url',
          cure: 'Store the password as a secret and name that in data.secret; change the password, because it has been sent in an event.',
        },
      });
      return z.NEVER;
    }
    return { text, address: addressOf(url) };
  });

/** Can its parts be read? A stray `%` makes a url that is one, of parts that are none. */
function isEncoded({ username, pathname, search }: URL): boolean {
  try {
    return [username, pathname, search].every((part) => decodeURIComponent(part).isWellFormed());
  } catch {
    return false;
  }
}

const defaultPorts: Readonly<Record<string, string>> = { 'postgres:': '5432', 'postgresql:': '5432' };

function addressOf(url: URL): string {
  const port = url.port === '' ? defaultPorts[url.protocol] : url.port;
  return port === undefined ? url.hostname : `${url.hostname}:${port}`;
}
