import { Injectable } from '@nestjs/common';
import { ApiKeysService } from './api-keys.service.js';
import type { Caller } from './caller.js';
import { isAccessToken } from './sessions/session-token.js';
import { SessionsService } from './sessions/sessions.service.js';

/** RFC 6750, 2.1: the scheme in any case, one token. */
const bearer = /^Bearer +([\x21-\x7e]+) *$/i;

/** Tells who comes with a credential: a program with an API key, or a person with the access token of a session. */
@Injectable()
export class Authentication {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly sessions: SessionsService,
  ) {}

  /** The credential in an `Authorization` header; `undefined` if there is none, or it is of another scheme. */
  credentialIn(authorization: string | undefined): string | undefined {
    return bearer.exec(authorization ?? '')?.[1];
  }

  /**
   * Whose a credential is; `undefined` if nobody's, or no longer.
   * @throws DatabaseUnavailableError when the database is gone and no answer is remembered
   */
  async verify(credential: string): Promise<Caller | undefined> {
    return isAccessToken(credential) ? this.sessions.verify(credential) : this.keys.verify(credential);
  }

  /** Forgets what is remembered, because something has changed. */
  forget(): void {
    this.keys.forget();
    this.sessions.forget();
  }
}
