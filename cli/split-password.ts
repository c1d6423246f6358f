/** A url without its password, and the password. What is no url stays as it is: the contract says what is wrong. */
export function splitPassword(text: string): { readonly url: string; readonly password: string | undefined } {
  const url = URL.parse(text);
  if (url === null || url.password === '') return { url: text, password: undefined };
  const password = decode(url.password);
  url.password = '';
  return { url: url.href, password };
}

/** A stray `%` is the password's own. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
