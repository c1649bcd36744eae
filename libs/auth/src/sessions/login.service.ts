import { Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { recordAuthEvent } from '../auth-events.js';
import { actorOf, type Role, scopesOf, type UserCaller } from '../caller.js';
import type { Client } from '../client.js';
import { Passwords } from '../users/passwords.js';
import { accountOf } from '../users/user.js';
import { type Counted, LoginBackoff } from './login-backoff.js';
import { type SessionTokens, SessionsService } from './sessions.service.js';

export type LoginResult =
  | { outcome: 'welcome'; tokens: SessionTokens; user: UserCaller }
  /** Unknown, disabled or a wrong password: nobody is told which. */
  | { outcome: 'refused' }
  /** After too many failures, until that time has passed; the password was not looked at. */
  | { outcome: 'wait'; waitMs: number };

interface Known {
  id: string;
  email: string;
  role: Role;
  hash: string;
  /** As text, for it is compared to the microsecond. */
  passwordChangedAt: string;
  isDisabled: boolean;
}

/** Logs people in. */
@Injectable()
export class LoginService {
  private readonly logger = new Logger('Auth');

  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly backoff: LoginBackoff,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * An unknown account takes the same way as a wrong password: as many statements, and as long a hash.
   * @throws PasswordsBusyError when too many others log in
   */
  async login(email: string, password: string, client: Client): Promise<LoginResult> {
    const attempt = { account: email, address: client.address };
    const begun = await this.backoff.begin(attempt);
    if ('waitMs' in begun) {
      this.logger.warn(`A login from ${client.address} was refused unseen, for ${begun.waitMs} ms, after failures`);
      return { outcome: 'wait', ...begun };
    }
    try {
      const known = await this.find(email);
      const isRight = await this.passwords.verify(password, known?.hash);
      const welcome =
        known && isRight && !known.isDisabled ? await this.welcome(known, attempt, begun.counted, client) : undefined;
      if (welcome && known) await this.refreshHash(known, password);
      return welcome ?? (await this.refuse(known, client));
    } catch (error) {
      await this.backoff.undo(begun.counted).catch(() => undefined);
      throw error;
    }
  }

  private async find(email: string): Promise<Known | undefined> {
    const [known] = await this.database.query<Known>(
      `SELECT id, email, role, password_hash AS hash, password_changed_at::text AS "passwordChangedAt",
         disabled_at IS NOT NULL AS "isDisabled"
       FROM users WHERE lower(email) = $1`,
      [accountOf(email)],
    );
    return known;
  }

  private async welcome(
    known: Known,
    attempt: { account: string; address: string },
    counted: Counted,
    client: Client,
  ): Promise<LoginResult | undefined> {
    const opened = await this.database.transaction(async (tx) => {
      // The account may have changed while the password was checked. The lock makes a change that comes now wait, so
      // that it finds this session, and ends it.
      const [same] = await tx.query<{ role: Role }>(
        `SELECT role FROM users WHERE id = $1 AND disabled_at IS NULL
           AND password_changed_at::text = $2 FOR SHARE`,
        [known.id, known.passwordChangedAt],
      );
      if (!same) return undefined;
      const { sessionId, ...tokens } = await this.sessions.open(tx, known.id, client);
      await this.backoff.succeeded(tx, attempt, counted);
      const user = { kind: 'user' as const, id: known.id, name: known.email, ...same, sessionId };
      await recordAuthEvent(tx, 'login', { name: actorOf(user), client }, { subject: known.email });
      return { tokens, user: { ...user, scopes: scopesOf(same.role) } };
    });
    if (!opened) return undefined;
    this.logger.log(`user:${known.id} has logged in from ${client.address}`);
    return { outcome: 'welcome', ...opened };
  }

  private async refuse(known: Known | undefined, client: Client): Promise<LoginResult> {
    // What was typed for an unknown account is not kept: often enough it is a password.
    await recordAuthEvent(
      this.database,
      'login-failed',
      { name: 'unknown', client },
      {
        ...(known && { subject: known.email }),
        reason: !known ? 'unknown' : known.isDisabled ? 'disabled' : 'password',
      },
    );
    this.logger.warn(`A login as ${known ? `user:${known.id}` : 'somebody unknown'} from ${client.address} has failed`);
    return { outcome: 'refused' };
  }

  /** Makes the hash anew where its parameters are not those of today; only now the password is at hand. */
  private async refreshHash({ id, hash }: Known, password: string): Promise<void> {
    if (!(await this.passwords.isOutdated(hash))) return;
    try {
      await this.database.query('UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2', [
        id,
        hash,
        await this.passwords.hash(password),
      ]);
    } catch (error) {
      this.logger.warn(`The password hash of user:${id} could not be renewed; the next login tries again`, error);
    }
  }
}
