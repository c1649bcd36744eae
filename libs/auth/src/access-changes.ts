import type { Queryable } from 'eyrie/database';

/** PostgreSQL's channel on which processes tell each other that a credential ended, or allows something else now. */
export const ACCESS_CHANGES = 'eyrie_access';

/** Tells every process, at the commit, to forget whose credentials it remembers. */
export async function announceAccessChange(tx: Queryable): Promise<void> {
  await tx.query(`SELECT pg_notify('${ACCESS_CHANGES}', '')`);
}
