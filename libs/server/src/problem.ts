import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** One of several faults in what a client sent. */
export interface ProblemError {
  /** Where: a JSON pointer (RFC 6901) into the body or the query; empty for the whole. */
  pointer: string;
  /** What is wrong there. */
  detail: string;
}

export interface ProblemOptions {
  /** What is wrong this time, and what to do about it. Shown to the client. */
  detail?: string;
  /** Every fault that was found. */
  errors?: readonly ProblemError[];
  /** Headers of the answer, such as Retry-After. */
  headers?: Readonly<Record<string, string>>;
  /** What led here; logged, never shown. */
  cause?: unknown;
}

/** A problem as RFC 9457 writes it. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  errors?: readonly ProblemError[];
}

/**
 * A fault that the client is told of in full, as `application/problem+json`.
 *
 * @example throw new Problem(409, 'already-expired', 'The silence has expired', { detail: 'Make a new one.' })
 */
export class Problem extends HttpException {
  readonly detail?: string;
  readonly errors?: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    /** The stable name of this kind of problem, in kebab-case; `type` is made of it. */
    readonly slug: string,
    readonly title: string,
    { detail, errors, headers = {}, cause }: ProblemOptions = {},
  ) {
    super(detail === undefined ? title : `${title}: ${detail}`, status, { cause });
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }

  /** The answer's body; `instance` names the request, by its id. */
  toBody(requestId: string): ProblemBody {
    return {
      type: `urn:eyrie:problem:${this.slug}`,
      title: this.title,
      status: this.getStatus(),
      detail: this.detail,
      instance: `urn:eyrie:request:${requestId}`,
      errors: this.errors,
    };
  }

  /** All of it in one sentence, for clients that want no more than a text. */
  toText(): string {
    const faults = this.errors?.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail)) ?? [];
    return [this.title, this.detail, faults.join('; ')].filter(Boolean).join(': ');
  }
}

/** A problem of which nothing is known but its status. */
export function plainProblem(status: number, options?: ProblemOptions): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  const slug = status === 500 ? 'internal-error' : title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return new Problem(status, slug, title, options);
}
