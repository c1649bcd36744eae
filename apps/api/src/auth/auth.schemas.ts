import { authEventTypes, longestPassword, roles, scopes } from 'eyrie/auth';
import * as z from 'zod';
import { pageLimit, queryText } from '../alerts/alerts.schemas.js';

const email = queryText.min(1).max(254);
/** Whether it is a good one is judged where it is kept. */
const password = z.string().min(1).max(longestPassword);
const time = z.iso.datetime();

export const loginRequest = z.strictObject({
  email,
  password,
  cookie: z
    .boolean()
    .default(false)
    .describe('For browsers: the refresh token comes in a cookie that no script can read, and not in the body.'),
});
export const loginExample = { email: 'ann@example.org', password: 'correct horse battery' };

/** Without it the cookie counts. */
export const refreshRequest = z
  .strictObject({ refreshToken: z.string().max(512).optional().describe('Default: the one in the cookie.') })
  .nullish();
export const refreshExample = { refreshToken: 'eyf_…' };

export const logoutQuery = z.strictObject({
  all: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
});

export const passwordRequest = z.strictObject({ current: password, new: password });
export const passwordExample = { current: 'correct horse battery', new: 'another horse battery' };

export const me = z.object({
  id: z.uuid(),
  email: z.string(),
  name: z.string(),
  role: z.enum(roles),
  scopes: z.array(z.enum(scopes)),
  sessionId: z.uuid(),
});

export const tokens = z.object({
  accessToken: z.string().describe('Goes into `Authorization: Bearer …`.'),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int().describe('Seconds.'),
  refreshToken: z.string().optional().describe('Good once, for the next pair. Left out where it is in the cookie.'),
  refreshExpiresIn: z.int().describe('Seconds.'),
  user: me,
});

export const sessionList = z.object({
  sessions: z.array(
    z.object({
      id: z.uuid(),
      createdAt: time,
      lastUsedAt: time,
      expiresAt: time,
      address: z.string(),
      userAgent: z.string(),
      isThis: z.boolean().describe('The one that asks.'),
    }),
  ),
});

export const userView = z.object({
  id: z.uuid(),
  email: z.string(),
  name: z.string(),
  role: z.enum(roles),
  createdAt: time,
  updatedAt: time,
  passwordChangedAt: time,
  disabledAt: time.nullable(),
});
export const userList = z.object({ users: z.array(userView) });

export const newUser = z.strictObject({
  email,
  name: z.string().min(1).max(100).optional().describe('Default: the email address.'),
  role: z.enum(roles),
  password: password.optional().describe('Default: one is generated, and told in the answer.'),
});
export const newUserExample = { email: 'bob@example.org', name: 'Bob', role: 'responder' };

export const createdUser = userView.extend({
  password: z.string().optional().describe('Where it was generated. It is not told again.'),
});

export const userChanges = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  role: z.enum(roles).optional(),
  disabled: z.boolean().optional().describe('Whoever is disabled is logged out everywhere at once.'),
});
export const userChangesExample = { role: 'viewer' };

export const generatedPassword = z.object({ password: z.string().describe('It is not told again.') });

export const keyView = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().describe('How the key begins; empty for keys of the configuration.'),
  scopes: z.array(z.enum(scopes)),
  source: z.enum(['configuration', 'created']),
  createdAt: time,
  lastUsedAt: time.nullable().describe('To the minute.'),
  revokedAt: time.nullable(),
});
export const keyList = z.object({ keys: z.array(keyView) });
export const newKey = z.strictObject({ name: z.string().max(100), scopes: z.array(z.enum(scopes)).min(1) });
export const newKeyExample = { name: 'prometheus', scopes: ['ingest'] };
export const createdKey = keyView.extend({ key: z.string().describe('It is not told again.') });

export const eventQuery = z.strictObject({
  type: z.enum(authEventTypes).optional(),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'the `next` of the page before')
    .optional(),
});
export const eventPage = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      at: time,
      type: z.enum(authEventTypes),
      actor: z.string().describe('`user:…`, `key:…`, `terminal`, or `unknown`.'),
      subject: z.string().nullable(),
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
      data: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  next: z.string().optional(),
});
