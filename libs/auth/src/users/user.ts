import type { Role } from '../caller.js';

/** A person who may log in. */
export interface User {
  id: string;
  /** In lower case; unique. */
  email: string;
  name: string;
  role: Role;
  createdAt: Date;
  updatedAt: Date;
  passwordChangedAt: Date;
  /** Since when this person cannot log in; null for those who can. */
  disabledAt: Date | null;
}

/** The columns of {@link User}. */
export const userColumns = `id, email, name, role, created_at AS "createdAt", updated_at AS "updatedAt",
  password_changed_at AS "passwordChangedAt", disabled_at AS "disabledAt"`;

const longestEmail = 254;
const longestName = 100;

/** Email addresses that differ only in case are one account. */
export function accountOf(email: string): string {
  return email.trim().toLowerCase();
}

/** Enough to catch what is no address at all; whether mail arrives there only mail can tell. */
export function isEmail(text: string): boolean {
  return text.length <= longestEmail && /^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(text);
}

/** Something visible, and nothing that could garble a line of a log or a terminal. */
export function isName(text: string): boolean {
  return text.length <= longestName && text.isWellFormed() && /\S/.test(text) && !/\p{C}/u.test(text);
}
