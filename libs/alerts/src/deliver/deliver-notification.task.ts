import { defineTask } from 'eyrie/jobs';
import * as z from 'zod';

/** One attempt to deliver a notification. Further attempts are jobs of their own, at the time that the back-off says. */
export const deliverNotification = defineTask(
  'deliver-notification',
  z.object({
    id: z.uuid(),
    /** The first attempt of one that nothing had to wait for. */
    first: z.boolean().optional(),
    /** It has had its turn under the rate of its integration. */
    inTurn: z.boolean().optional(),
  }),
);
