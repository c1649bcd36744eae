import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse } from '@nestjs/swagger';
import { schemaOf } from 'eyrie/server';
import * as z from 'zod';

const problem = schemaOf(
  z
    .object({
      type: z.string().describe('The stable name of this kind of problem.'),
      title: z.string(),
      status: z.int(),
      detail: z.string().optional(),
      instance: z.string().describe('Names the request, as X-Request-ID does.'),
      errors: z
        .array(z.object({ pointer: z.string().describe('JSON pointer (RFC 6901).'), detail: z.string() }))
        .optional()
        .describe('Every fault with its place.'),
    })
    .describe('RFC 9457.'),
);

/** An answer that is a problem; below `/api/v2` it is a JSON string, as Alertmanager's are. */
export function ApiProblem(status: number, description: string): MethodDecorator & ClassDecorator {
  return ApiResponse({ status, description, content: { 'application/problem+json': { schema: problem } } });
}

/** On a controller: an API key or a login is needed, and what is answered without one that will do. */
export function ApiKeyNeeded(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiBearerAuth(),
    ApiProblem(401, 'No API key or access token, or one that is unknown, was revoked or has expired.'),
    ApiProblem(403, 'The key or the role lacks the scope.'),
    ApiProblem(429, 'Too many requests; `Retry-After` says when the next is served.'),
    ApiProblem(503, 'Not at the moment; `Retry-After` says when. What was sent may, or may not, have been stored.'),
  );
}
