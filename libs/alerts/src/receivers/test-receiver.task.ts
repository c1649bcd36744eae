import { defineTask } from 'eyrie/jobs';
import * as z from 'zod';

/** Sends a test notification to one integration. Never twice: nobody would wait for the second. */
export const testReceiver = defineTask('test-receiver', z.object({ id: z.uuid(), integration: z.string() }), {
  maxAttempts: 1,
});
