import { AccessError, type AccessFault, PasswordsBusyError } from 'eyrie/auth';
import { Problem } from 'eyrie/server';

const problems: Readonly<Record<AccessFault, { status: number; slug: string; title: string }>> = {
  invalid: { status: 400, slug: 'invalid-request', title: 'This is not valid' },
  taken: { status: 409, slug: 'taken', title: 'There is one already' },
  missing: { status: 404, slug: 'not-found', title: 'There is no such thing' },
  refused: { status: 409, slug: 'refused', title: 'This cannot be done' },
};

/** Turns what keys, users and passwords refuse into the answer that a client understands. */
export async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AccessError) {
      const { status, slug, title } = problems[error.fault];
      const errors = error.fault === 'invalid' ? [{ pointer: '', detail: error.message }] : undefined;
      throw new Problem(status, slug, title, errors ? { errors } : { detail: error.message });
    }
    if (error instanceof PasswordsBusyError) {
      throw new Problem(503, 'overloaded', 'Too many others log in', { headers: { 'Retry-After': '2' } });
    }
    throw error;
  }
}
