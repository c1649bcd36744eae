import { Injectable, Optional } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { announceAccessChange } from '../access-changes.js';
import { AccessError } from '../access-error.js';
import { type Actor, type AuthEventType, recordAuthEvent } from '../auth-events.js';
import type { Role } from '../caller.js';
import { endSessions } from '../sessions/end-sessions.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { generatePassword, passwordFault } from './password-policy.js';
import { Passwords } from './passwords.js';
import { accountOf, isEmail, isName, type User, userColumns } from './user.js';

/** Held while an administrator is taken away, so that two at once cannot be the last two. */
const LOCK = 1_206_551_209;

export interface NewUser {
  email: string;
  /** Default: the email address. */
  name?: string | undefined;
  role: Role;
  /** Default: a generated one, which is returned. */
  password?: string | undefined;
}

export interface UserChanges {
  name?: string | undefined;
  role?: Role | undefined;
  disabled?: boolean | undefined;
}

/** The people who may log in. Every change is recorded with who made it. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    @Optional() private readonly sessions?: SessionsService,
  ) {}

  /**
   * Adds a person. A password that was generated is told here and never again.
   * @throws AccessError if email, name or password will not do, or the email is taken
   */
  async create({ email, name, role, password }: NewUser, by: Actor): Promise<User & { password?: string }> {
    const account = accountOf(email);
    const known = { email: account, name: name?.trim() ?? account };
    if (!isEmail(account)) throw new AccessError('invalid', 'that is no email address');
    checkName(known.name);
    const { hash, generated } = await this.newPassword(password, known);
    const created = await this.database.transaction(async (tx) => {
      const [user] = await tx.query<User>(
        `INSERT INTO users (email, name, role, password_hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (lower(email)) DO NOTHING RETURNING ${userColumns}`,
        [known.email, known.name, role, hash],
      );
      if (user) await recordAuthEvent(tx, 'user-created', by, { subject: user.email, role });
      return user;
    });
    if (!created) throw new AccessError('taken', `there is a user ${account} already`);
    return { ...created, ...generated };
  }

  /** Everybody, in the order in which they were added. */
  list(): Promise<User[]> {
    return this.database.query<User>(`SELECT ${userColumns} FROM users ORDER BY id`);
  }

  /** The person with this id or email. */
  async find(idOrEmail: string): Promise<User | undefined> {
    const [user] = await this.database.query<User>(`SELECT ${userColumns} FROM users WHERE ${isThis}`, [
      accountOf(idOrEmail),
    ]);
    return user;
  }

  /**
   * Changes a person. Whoever is disabled is out at once; a new role holds for the sessions that are open.
   * @throws AccessError if there is no such person, or nobody would be left to administrate
   */
  async change(idOrEmail: string, { name, role, disabled }: UserChanges, by: Actor): Promise<User> {
    if (name !== undefined) checkName(name.trim());
    const changed = await this.database.transaction(async (tx) => {
      if (disabled === true || (role !== undefined && role !== 'admin')) await keepOthersOut(tx);
      const before = await lock(tx, idOrEmail);
      const [after] = await tx.query<User>(
        `UPDATE users SET name = coalesce($2, name), role = coalesce($3, role), updated_at = now(),
           disabled_at = CASE WHEN $4 THEN coalesce(disabled_at, now()) WHEN NOT $4 THEN NULL ELSE disabled_at END
         WHERE id = $1 RETURNING ${userColumns}`,
        [before.id, name?.trim() ?? null, role ?? null, disabled ?? null],
      );
      if (isAdmin(before) && !isAdmin(after!)) await checkAnAdminIsLeft(tx);
      for (const [type, data] of differences(before, after!)) {
        await recordAuthEvent(tx, type, by, { subject: before.email, ...data });
      }
      if (after!.disabledAt) await endSessions(tx, { userId: before.id }, 'disabled');
      if (after!.role !== before.role) await announceAccessChange(tx);
      return after!;
    });
    this.sessions?.forget();
    return changed;
  }

  /**
   * Changes one's own password and ends one's other sessions.
   * @returns false if the current one is not right
   * @throws AccessError if the new one will not do
   */
  async changePassword(
    user: { id: string; sessionId: string },
    { current, next }: { current: string; next: string },
    by: Actor,
  ): Promise<boolean> {
    type Row = { email: string; name: string; hash: string; changedAt: string };
    const [row] = await this.database.query<Row>(
      `SELECT email, name, password_hash AS hash, password_changed_at::text AS "changedAt"
       FROM users WHERE id = $1 AND disabled_at IS NULL`,
      [user.id],
    );
    if (!(await this.passwords.verify(current, row?.hash)) || !row) return false;
    if (current === next) throw new AccessError('invalid', 'that is the password that you have');
    const { hash } = await this.newPassword(next, row);
    const isChanged = await this.database.transaction(async (tx) => {
      // Only in the place of the one that was checked: another change may have come in between.
      const [changed] = await tx.query(
        `UPDATE users SET password_hash = $3, password_changed_at = now(), updated_at = now()
         WHERE id = $1 AND password_changed_at::text = $2 RETURNING id`,
        [user.id, row.changedAt, hash],
      );
      if (!changed) return false;
      const ended = await endSessions(tx, { userId: user.id, except: user.sessionId }, 'password-changed');
      await recordAuthEvent(tx, 'password-changed', by, { subject: row.email, sessionsEnded: ended });
      return true;
    });
    this.sessions?.forget();
    return isChanged;
  }

  /**
   * Gives a person a new password, generated unless told, and ends all sessions.
   * @throws AccessError if there is no such person, or the password will not do
   */
  async resetPassword(idOrEmail: string, password: string | undefined, by: Actor): Promise<{ password?: string }> {
    const user = await this.find(idOrEmail);
    if (!user) throw noSuchUser(idOrEmail);
    const { hash, generated } = await this.newPassword(password, user);
    await this.database.transaction(async (tx) => {
      await tx.query(
        'UPDATE users SET password_hash = $2, password_changed_at = now(), updated_at = now() WHERE id = $1',
        [user.id, hash],
      );
      await endSessions(tx, { userId: user.id }, 'password-changed');
      await recordAuthEvent(tx, 'password-reset', by, { subject: user.email });
    });
    this.sessions?.forget();
    return generated;
  }

  private async newPassword(password: string | undefined, of: { email: string; name: string }) {
    const fault = password === undefined ? undefined : passwordFault(password, of);
    if (fault !== undefined) throw new AccessError('invalid', fault);
    const chosen = password ?? generatePassword();
    return { hash: await this.passwords.hash(chosen), generated: password === undefined ? { password: chosen } : {} };
  }
}

const isThis = '(lower(email) = $1 OR id::text = $1)';

const isAdmin = ({ role, disabledAt }: User) => role === 'admin' && disabledAt === null;

function checkName(name: string): void {
  if (!isName(name)) throw new AccessError('invalid', 'a name has 1 to 100 visible characters');
}

const noSuchUser = (idOrEmail: string) => new AccessError('missing', `there is no user ${idOrEmail}`);

async function lock(tx: Queryable, idOrEmail: string): Promise<User> {
  const [user] = await tx.query<User>(`SELECT ${userColumns} FROM users WHERE ${isThis} FOR UPDATE`, [
    accountOf(idOrEmail),
  ]);
  if (!user) throw noSuchUser(idOrEmail);
  return user;
}

async function keepOthersOut(tx: Queryable): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

async function checkAnAdminIsLeft(tx: Queryable): Promise<void> {
  const admins = await tx.query(`SELECT FROM users WHERE role = 'admin' AND disabled_at IS NULL LIMIT 1`);
  if (admins.length === 0) throw new AccessError('refused', 'this is the last administrator who can log in');
}

/** What changed, as the events that tell of it. */
function differences(before: User, after: User): [AuthEventType, Record<string, unknown>][] {
  const events: [AuthEventType, Record<string, unknown>][] = [];
  const changed: Record<string, unknown> = {};
  if (after.name !== before.name) changed.name = { from: before.name, to: after.name };
  if (after.role !== before.role) changed.role = { from: before.role, to: after.role };
  if (Object.keys(changed).length > 0) events.push(['user-changed', changed]);
  if (!before.disabledAt && after.disabledAt) events.push(['user-disabled', {}]);
  if (before.disabledAt && !after.disabledAt) events.push(['user-enabled', {}]);
  return events;
}
