import { migrate } from 'eyrie/database';
import { schema } from '../../apps/api/src/schema.js';

/** Gives the database that every spec file gets a copy of its tables. */
export async function prepareTemplate(url: string): Promise<void> {
  await migrate({ url, ...schema });
}
