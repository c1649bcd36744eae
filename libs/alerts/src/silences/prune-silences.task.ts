import { defineTask } from 'eyrie/jobs';
import * as z from 'zod';

/** Removes silences that have been over for longer than the history has to be. */
export const pruneSilences = defineTask('prune-silences', z.object({}));
