import { randomBytes } from 'node:crypto';

/** NIST SP 800-63B-4, 3.1.1.2: where a password is the only factor it has at least 15 characters. */
export const shortestPassword = 15;
export const longestPassword = 200;

const fewestDifferent = 5;

/**
 * What is wrong with a new password; `undefined` if it may be used. Length, and not what anybody would try first; no rules
 * about kinds of characters, which make passwords no better and people write them down (as above).
 */
export function passwordFault(password: string, { email, name }: { email: string; name: string }): string | undefined {
  const characters = [...password.normalize('NFKC')];
  if (characters.length < shortestPassword) return `a password has at least ${shortestPassword} characters`;
  if (characters.length > longestPassword) return `a password has at most ${longestPassword} characters`;
  if (!password.isWellFormed()) return 'a password is made of whole characters';
  if (new Set(characters).size < fewestDifferent) {
    return `a password has at least ${fewestDifferent} different characters`;
  }
  const plain = password.toLowerCase();
  const own = [email, email.split('@')[0]!, name].map((text) => text.toLowerCase());
  return own.some((text) => plain.replaceAll(text, '').length < shortestPassword / 2)
    ? 'a password is more than the email address or the name'
    : undefined;
}

/** A password that nobody has to invent: 120 random bits. */
export function generatePassword(): string {
  return randomBytes(15).toString('base64url');
}
