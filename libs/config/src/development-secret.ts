const weakWords =
  /change|me|replace|this|my|your|super|top|secret|password|passwd|pass|key|token|admin|root|user|default|example|sample|insecure|development|dev|test|local|postgres|redis|eyrie|qwerty|letmein/g;

/**
 * Why a secret is unfit for production, to be read after "wanted"; `undefined` for one that will do. A URL is judged
 * by its password alone; one without a password (a peer-authenticated database, a webhook's address) is left alone.
 */
export function developmentSecret(value: string, example?: string): string | undefined {
  if (value === example) return 'a secret of your own, not the documented example';
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
  const secret = url ? decoded(url.password) : value;
  if (url && !secret) return undefined;
  const part = url ? 'a password' : 'a secret';
  if (secret.length < 16) return `${part} of at least 16 characters`;
  const own = secret.toLowerCase().replace(weakWords, '');
  if (own.length < secret.length && own.replace(/[^a-z]/g, '').length < 4)
    return `${part} that is not made of well-known words`;
  if (new Set(secret).size < 6) return `${part} of more than a few different characters`;
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
