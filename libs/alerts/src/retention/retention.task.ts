import { defineTask } from 'eyrie/jobs';
import * as z from 'zod';

/** Removes what is older than the history has to be. */
export const pruneHistory = defineTask('prune-history', z.object({}));
