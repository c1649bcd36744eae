/**
 * What a caller may do: raise alerts, look at them, handle them (acknowledge, comment, silence), and change who is told
 * and who may do what. None implies another.
 */
export const scopes = ['ingest', 'read', 'respond', 'manage'] as const;
export type Scope = (typeof scopes)[number];

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

/** What people are here for. */
export const roles = ['viewer', 'responder', 'admin'] as const;
export type Role = (typeof roles)[number];

const grants: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'],
  responder: ['read', 'respond'],
  admin: scopes,
};

/** The scopes that a role brings. */
export function scopesOf(role: Role): readonly Scope[] {
  return grants[role];
}

/** A program with an API key. */
export interface KeyCaller {
  kind: 'key';
  id: string;
  name: string;
  scopes: readonly Scope[];
}

/** A person who is logged in. */
export interface UserCaller {
  kind: 'user';
  id: string;
  /** The email address: unique, and what colleagues know. */
  name: string;
  scopes: readonly Scope[];
  role: Role;
  sessionId: string;
}

/** Who makes a request. */
export type Caller = KeyCaller | UserCaller;

/** How histories name a caller: `user:ann@example.org`, `key:prometheus`. */
export function actorOf(caller: Pick<Caller, 'kind' | 'name'> | undefined): string {
  return caller ? `${caller.kind}:${caller.name}` : 'nobody';
}
