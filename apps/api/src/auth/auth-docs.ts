import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { ApiProblem } from '../api-docs.js';

const closed = 'Not at the moment; `Retry-After` says when.';
const limited = 'Too many requests; `Retry-After` says when the next is served.';

/** What a route answers that wants an API key, or the access token of somebody who is logged in. */
export function CallerNeeded(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiBearerAuth(),
    ApiProblem(401, 'No API key or access token, or one that is unknown, was revoked or has expired.'),
    ApiProblem(403, 'The key or the role lacks the scope.'),
    ApiProblem(429, limited),
    ApiProblem(503, closed),
  );
}

/** What a route answers that is for people who are logged in. */
export function LoginNeeded(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiBearerAuth(),
    ApiProblem(401, 'No access token, or one that has expired or whose session has ended.'),
    ApiProblem(403, 'An API key, which has neither a password nor sessions.'),
    ApiProblem(429, limited),
    ApiProblem(503, closed),
  );
}

/** What a route answers to everybody who comes too often, or while there is no answer. */
export function OpenToAll(): MethodDecorator & ClassDecorator {
  return applyDecorators(ApiProblem(429, limited), ApiProblem(503, closed));
}
