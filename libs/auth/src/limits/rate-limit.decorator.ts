import { SetMetadata } from '@nestjs/common';

/** Routes that are limited alike: programs that raise alerts, passwords, and everything else. */
export type RateLimitClass = 'api' | 'login' | 'ingest';

/** Under this key routes and controllers keep their class. */
export const RATE_LIMIT = 'eyrie:rate-limit';

/**
 * Says how often a client may use a route; on a controller it holds for all its routes that say nothing else. Without it
 * routes with the scope `ingest` are of the class `ingest`, others of the class `api`.
 *
 * @example @RateLimited('login') @Public() @Post('login') login(…) {}
 */
export const RateLimited = (limitClass: RateLimitClass) => SetMetadata(RATE_LIMIT, limitClass);
