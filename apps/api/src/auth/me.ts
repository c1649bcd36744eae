import { type UserCaller, type UsersService } from 'eyrie/auth';

/** Who somebody is, for that person's own client. */
export async function meOf(users: UsersService, { id, name: email, role, scopes, sessionId }: UserCaller) {
  const user = await users.find(id);
  return { id, email, name: user?.name ?? email, role, scopes, sessionId };
}
