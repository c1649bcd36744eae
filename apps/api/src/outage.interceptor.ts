import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { isDatabaseUnavailable } from 'eyrie/database';
import { Problem } from 'eyrie/server';
import { catchError, type Observable } from 'rxjs';

/** While PostgreSQL is away it is not our fault but a pause: 503, so that clients and proxies try again. */
@Injectable()
export class OutageInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!isDatabaseUnavailable(error)) throw error;
        throw new Problem(503, 'unavailable', 'The database cannot be reached at the moment', {
          headers: { 'Retry-After': '1' },
          cause: error,
        });
      }),
    );
  }
}
